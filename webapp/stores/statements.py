"""What all stores do with a statement that changes something."""

from typing import Any, cast

from sqlalchemy import CursorResult, Executable

from webapp.extensions import db


def count_changed(statement: Executable) -> int:
    """Run a guarded statement and say how many rows it found; this is how races are settled."""
    # No row is kept as an object here, so none has to be brought up to date: without being told
    # so, SQLAlchemy asks MariaDB first which rows will change, which is one statement more.
    options = {"synchronize_session": False}
    result = db.session.execute(statement, execution_options=options)
    return cast(CursorResult[Any], result).rowcount


def changes_one(statement: Executable) -> bool:
    """Run a guarded statement and say whether it found its one row."""
    return count_changed(statement) == 1
