"""Transactions: begun, retried when the database asks for it, and ended in one place.

Every connection is in autocommit: what only reads, or changes by one guarded statement, takes one
message to the server and back, and a transaction says BEGIN and COMMIT for itself.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from enum import Enum
from functools import cached_property
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, Executable, ScalarResult, exc

from webapp.errors import TemporarilyUnavailable
from webapp.extensions import db

T = TypeVar("T")

# What the databases call "you lost a race, try again": PostgreSQL's serialization failure,
# deadlock and lock timeout; MariaDB's deadlock, lock timeout and changed record.
_RETRYABLE_STATES = {"40001", "40P01", "55P03"}
_RETRYABLE_NUMBERS = {1213, 1205, 1020}
# SQLite says this when another process holds the lock for longer than the busy timeout.
_RETRYABLE_WORDS = ("database is locked", "database table is locked", "database schema is locked")

_NO_TABLE_STATE, _NO_TABLE_NUMBER = "42P01", 1146

# How the drivers say that a store is down, hung, full or busy.
_STORE_DOWN = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)
_PATIENCE = 5.0

# SQLite has one writer at a time, and whoever finds it busy sleeps for longer and longer. Threads
# of one process queue here instead, where the next one goes on at once.
_sqlite_writer = threading.RLock()


class LostRace(Exception):
    """A constraint or a guard says that somebody else was quicker: read and decide again."""


class _Kind(Enum):
    READ = "read"
    CHANGE = "change"
    TRANSACTION = "transaction"


class _Work:
    """What is being done, on a connection that it takes when it first needs one."""

    def __init__(self, engine: Engine, kind: _Kind) -> None:
        self.engine = engine
        self.kind = kind
        self.on_commit: list[Callable[[], None]] = []
        self.on_rollback: list[Callable[[], None]] = []
        self.is_committing = False
        self._connection: Connection | None = None
        self._holds_writer = False

    @cached_property
    def id(self) -> str:
        """What it is known by."""
        return uuid.uuid4().hex

    def connection(self) -> Connection:
        """Return the connection, in a transaction where this is one."""
        if self._connection is None:
            is_sqlite = self.engine.dialect.name == "sqlite"
            if is_sqlite and self.kind is not _Kind.READ:
                if not _sqlite_writer.acquire(timeout=_PATIENCE):
                    raise TemporarilyUnavailable
                self._holds_writer = True
            self._connection = self.engine.connect()
            if self.kind is _Kind.TRANSACTION:
                # SQLite would else find out in the middle of it that it may not write.
                self._connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
        return self._connection

    def commit(self) -> None:
        """Make it last."""
        self.is_committing = True
        if self._connection is not None and self.kind is _Kind.TRANSACTION:
            self._connection.exec_driver_sql("COMMIT")

    def close(self, is_committed: bool) -> None:
        """Give the connection back, with nothing open on it."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                if self.kind is _Kind.TRANSACTION and not is_committed:
                    _roll_back(connection)
                connection.close()
        finally:
            if self._holds_writer:
                self._holds_writer = False
                _sqlite_writer.release()

    def may_run_again(self, error: Exception) -> bool:
        """Whether what went wrong did nothing, and may go well the next time."""
        if isinstance(error, LostRace):
            return True
        # A connection that died under way did nothing; one that died during a commit, of a
        # statement by itself too, may have, and only whoever asked can tell.
        is_harmless = self.kind is _Kind.READ or (
            self.kind is _Kind.TRANSACTION and not self.is_committing
        )
        is_lost = getattr(error, "connection_invalidated", False)
        return (is_lost and is_harmless) or _is_retryable(error)


_current: ContextVar[_Work | None] = ContextVar("work", default=None)


def transact(work: Callable[[], T]) -> T:
    """Run `work` in one transaction and commit it; inside another transaction, join that one.

    `work` may run more than once, so it must do nothing but read and write the database and the
    session store; what has to follow the commit goes through :func:`on_commit`.

    :raises TemporarilyUnavailable: when the database is down, hung or full, or stays busy for
        longer than 5 seconds.
    """
    return _run(work, _Kind.TRANSACTION)


def change(work: Callable[[], T]) -> T:
    """Run `work`, whose one guarded statement is a transaction by itself; as :func:`transact`."""
    return _run(work, _Kind.CHANGE)


def read(work: Callable[[], T]) -> T:
    """Run `work`, which only reads, and give the connection back; as :func:`transact` otherwise."""
    return _run(work, _Kind.READ)


def read_apart(work: Callable[[], T]) -> T:
    """As :func:`read`, on a connection of its own, whatever transaction is going on."""
    outer = _current.set(None)
    try:
        return read(work)
    finally:
        _current.reset(outer)


def until_settled(work: Callable[[], T]) -> T:
    """Run `work`, which reads, decides and then changes, again for as long as it loses a race.

    :raises TemporarilyUnavailable: when it still does after 5 seconds.
    """
    give_up_at = time.monotonic() + _PATIENCE
    for attempt in count(1):
        try:
            return work()
        except LostRace as error:
            if time.monotonic() > give_up_at:
                raise TemporarilyUnavailable from error
        _back_off(attempt)
    raise AssertionError


def connection() -> Connection:
    """Return the connection of the work at hand."""
    work = _current.get()
    if work is None:
        raise RuntimeError("a store was asked outside of read(), change() and transact()")
    return work.connection()


def execute(
    statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement as part of the work at hand."""
    return connection().execute(statement, parameters)


def scalar(statement: Executable) -> Any:
    """Run a statement and return the first column of its first row, or None."""
    return execute(statement).scalar()


def scalars(statement: Executable) -> ScalarResult[Any]:
    """Run a statement and return the first column of its rows."""
    return execute(statement).scalars()


def on_commit(action: Callable[[], None]) -> None:
    """Run `action` once the transaction at hand is committed; forget it when it is not."""
    _at_hand().on_commit.append(action)


def on_rollback(action: Callable[[], None]) -> None:
    """Run `action` should the transaction at hand not be committed, each time it is not.

    It is for what a store beside the database did meanwhile, and must raise nothing. A commit
    whose answer was lost may have happened all the same.
    """
    _at_hand().on_rollback.append(action)


def transaction_id() -> str:
    """Return what the transaction at hand is known by, the same each time it has to run again."""
    work = _current.get()
    return work.id if work else uuid.uuid4().hex


def _at_hand() -> _Work:
    work = _current.get()
    if work is None or work.kind is _Kind.READ:
        raise RuntimeError("there is no transaction at hand")
    return work


def _run(work: Callable[[], T], kind: _Kind) -> T:
    engine, outer = db.engine, _current.get()
    if outer is not None and outer.engine is engine:
        if kind is not _Kind.READ and outer.kind is not _Kind.TRANSACTION:
            raise RuntimeError(f"a {kind.value} inside of a {outer.kind.value}")
        return work()
    unit = _Work(engine, kind)
    give_up_at = time.monotonic() + _PATIENCE
    for attempt in count(1):
        try:
            result = _try(work, unit)
            break
        except (LostRace, *_STORE_DOWN) as error:
            if not unit.may_run_again(error) or time.monotonic() > give_up_at:
                raise TemporarilyUnavailable from error
        except exc.ProgrammingError as error:
            # Our own mistake, unless the tables are still to come.
            if _says(error, {_NO_TABLE_STATE}, {_NO_TABLE_NUMBER}):
                raise TemporarilyUnavailable from error
            raise
        _back_off(attempt)
    for action in unit.on_commit:
        action()
    return result


def _try(work: Callable[[], T], unit: _Work) -> T:
    unit.on_commit, unit.on_rollback, unit.is_committing = [], [], False
    is_committed = False
    outer = _current.set(unit)
    try:
        result = work()
        unit.commit()
        is_committed = True
        return result
    finally:
        _current.reset(outer)
        unit.close(is_committed)
        for action in () if is_committed else unit.on_rollback:
            action()


def _roll_back(connection: Connection) -> None:
    if connection.invalidated:
        return
    try:
        connection.exec_driver_sql("ROLLBACK")
    except exc.DBAPIError:
        # Nothing is left of the transaction, or nobody can tell: the server ends it with this.
        connection.invalidate()


def _back_off(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 6)))


def _is_retryable(error: Exception) -> bool:
    if _says(error, _RETRYABLE_STATES, _RETRYABLE_NUMBERS):
        return True
    original = str(getattr(error, "orig", None))
    return any(word in original for word in _RETRYABLE_WORDS)


def _says(error: Exception, states: set[str], numbers: set[int]) -> bool:
    """Whether the driver gives one of these SQLSTATEs (PostgreSQL) or numbers (MariaDB)."""
    original = getattr(error, "orig", None)
    arguments: tuple[object, ...] = getattr(original, "args", ())
    is_numbered = bool(arguments) and arguments[0] in numbers
    return is_numbered or getattr(original, "sqlstate", None) in states
