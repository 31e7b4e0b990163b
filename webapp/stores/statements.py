"""What all stores do with a statement that changes something."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable

from webapp.stores.transactions import execute


def count_changed(statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
    """Run a guarded statement and say how many rows it found; this is how races are settled."""
    return execute(statement, parameters).rowcount


def changes_one(statement: Executable, parameters: Mapping[str, Any] | None = None) -> bool:
    """Run a guarded statement and say whether it found its one row."""
    return count_changed(statement, parameters) == 1
