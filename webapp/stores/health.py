"""Whether the database can be used."""

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
    # Only `flask doctor` asks; a server never loads Alembic.
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    newest = ScriptDirectory(str(ROOT / "migrations")).get_heads()
    present = MigrationContext.configure(connection()).get_current_heads()
    return set(newest) == set(present)
