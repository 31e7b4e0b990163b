"""What all stores do with a statement that changes something."""

from sqlalchemy import Executable

from webapp.stores.transactions import execute


def count_changed(statement: Executable) -> int:
    """Run a guarded statement and say how many rows it found; this is how races are settled."""
    return execute(statement).rowcount


def changes_one(statement: Executable) -> bool:
    """Run a guarded statement and say whether it found its one row."""
    return count_changed(statement) == 1
