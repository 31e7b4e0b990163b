"""Connections to PostgreSQL with bounds that psycopg has not; engine.py imports it where needed."""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from webapp.stores.engine import STATEMENT

# Seconds. A little more than a statement may take: by then a server that is well has ended it
# itself.
_ANSWER = STATEMENT + 2

R = TypeVar("R")


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
