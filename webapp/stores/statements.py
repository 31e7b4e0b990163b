"""What all stores do with a statement that changes something."""

from typing import Any, cast

from sqlalchemy import CursorResult, Executable

from webapp.extensions import db


def count_changed(statement: Executable) -> int:
    """Run a guarded statement and say how many rows it found; this is how races are settled."""
    return cast(CursorResult[Any], db.session.execute(statement)).rowcount


def changes_one(statement: Executable) -> bool:
    """Run a guarded statement and say whether it found its one row."""
    return count_changed(statement) == 1
