"""Connections to PostgreSQL with bounds that psycopg has not; engine.py imports it where needed."""

from collections.abc import Sequence
from typing import Any, TypeVar, overload

import psycopg
from psycopg import Column
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, TransactionStatus

from webapp.stores.engine import STATEMENT

# Seconds. A little more than a statement may take: by then a server that is well has ended it
# itself.
_ANSWER = STATEMENT + 2

R = TypeVar("R")


class LazyColumns(Sequence[Column]):
    """What a cursor says of its columns, put together when somebody looks at it.

    psycopg does so each time that it is asked for a description, and SQLAlchemy asks after every
    query only to see that there is one.
    """

    def __init__(self, cursor: "LeanCursor", count: int) -> None:
        """Take the cursor that has the columns."""
        self._cursor = cursor
        self._count = count

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> Column: ...
    @overload
    def __getitem__(self, index: slice) -> list[Column]: ...
    def __getitem__(self, index: int | slice) -> Column | list[Column]:
        """Return one of them, or some."""
        chosen = range(self._count)[index]
        if isinstance(chosen, range):
            return [Column(self._cursor, number) for number in chosen]
        return Column(self._cursor, chosen)


class LeanCursor(psycopg.Cursor[Any]):
    """A cursor that describes its columns when they are looked at."""

    @property
    def description(self) -> Any:
        """The columns of the result, or None where there is none."""
        result = self.pgresult
        is_table = result is not None and (result.nfields or result.status == ExecStatus.TUPLES_OK)
        return LazyColumns(self, result.nfields) if result is not None and is_table else None


class BoundedConnection(psycopg.Connection[Any]):
    """A connection to PostgreSQL that gives a server up which hangs.

    A server that is stopped, or a proxy before one that is gone, takes a statement and never
    answers: no timeout of its own runs, and no TCP timeout either, as the bytes did arrive.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what psycopg gives."""
        super().__init__(*args, **kwargs)
        self.cursor_factory = LeanCursor

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait for an answer, as psycopg does, but not for ever."""
        try:
            return super().wait(gen, interval, timeout or _ANSWER)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The answer may come yet, and must not be taken for that to another question.
                self.pgconn.finish()
            raise
