"""Whether the database can be used."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exists, select

from config import ROOT
from webapp.models import UserRow
from webapp.stores.transactions import connection, execute


def check() -> None:
    """Ask the database something that needs its tables.

    The transaction that it runs in raises TemporarilyUnavailable when it is down, or has none.
    """
    execute(select(exists().where(UserRow.id == "")))


def is_newest_schema() -> bool:
    """Whether every migration that this code brings has been run."""
    newest = ScriptDirectory(str(ROOT / "migrations")).get_heads()
    present = MigrationContext.configure(connection()).get_current_heads()
    return set(newest) == set(present)
