"""Whether the database can be used."""

from sqlalchemy import exists, select
from sqlalchemy.exc import ProgrammingError

from webapp.errors import TemporarilyUnavailable
from webapp.extensions import db
from webapp.models import UserRow


def check() -> None:
    """Ask the database something that needs its tables.

    :raises TemporarilyUnavailable: when it has no tables yet.
    """
    try:
        db.session.execute(select(exists().where(UserRow.id == "")))
    except ProgrammingError as error:
        raise TemporarilyUnavailable from error
