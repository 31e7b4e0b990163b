"""Whether the database can be used."""

from sqlalchemy import exists, select

from webapp.extensions import db
from webapp.models import UserRow


def check() -> None:
    """Ask the database something that needs its tables.

    :raises sqlalchemy.exc.SQLAlchemyError: when it is down or not migrated.
    """
    db.session.execute(select(exists().where(UserRow.id == "")))
