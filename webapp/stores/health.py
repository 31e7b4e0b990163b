"""Whether the database can be used."""

from sqlalchemy import exists, select

from webapp.extensions import db
from webapp.models import UserRow


def check() -> None:
    """Ask the database something that needs its tables.

    The transaction that it runs in raises TemporarilyUnavailable when it is down, or has none.
    """
    db.session.execute(select(exists().where(UserRow.id == "")))
