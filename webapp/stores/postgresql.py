"""Connections to PostgreSQL with bounds that psycopg has not; engine.py imports it where needed."""

from typing import Any, TypeVar

import psycopg
from psycopg import Column
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus, TransactionStatus

from webapp.stores.engine import STATEMENT

# Seconds. A little more than a statement may take: by then a server that is well has ended it
# itself.
_ANSWER = STATEMENT + 2

R = TypeVar("R")


class LazyColumns:
    """What a cursor says of its columns, put together when somebody looks at them.

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

    def __getitem__(self, number: int) -> Column:
        """Return one of them."""
        return Column(self._cursor, range(self._count)[number])


class LeanCursor(psycopg.Cursor[Any]):
    """A cursor that describes its columns when they are looked at."""

    @property
    def description(self) -> Any:
        """The columns of the result, or None where there is none."""
        result = self.pgresult
        if result is None or not (result.nfields or result.status == ExecStatus.TUPLES_OK):
            return None
        return LazyColumns(self, result.nfields)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection to PostgreSQL that gives a server up which hangs.

    A server that is stopped, or a proxy before one that is gone, takes a statement and never
    answers: no timeout of its own runs, and no TCP timeout either, as the bytes did arrive.
    """

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait for an answer, as psycopg does, but not for ever."""
        try:
            return super().wait(gen, interval, timeout or _ANSWER)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The answer may come yet, and must not be taken for that to another question.
                self.pgconn.finish()
            raise
