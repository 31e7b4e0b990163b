"""Transactions: begun, retried when the database asks for it, and ended in one place."""

import random
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import exc

from webapp.errors import TemporarilyUnavailable
from webapp.extensions import db

T = TypeVar("T")

# What the databases call "you lost a race, try again": PostgreSQL's serialization failure,
# deadlock and lock timeout; MariaDB's deadlock, lock timeout and changed record.
_RETRYABLE_STATES = {"40001", "40P01", "55P03"}
_RETRYABLE_NUMBERS = {1213, 1205, 1020}
# SQLite says this when another process holds the lock for longer than the busy timeout, or at
# once when a reader wants to write on a snapshot that is no longer the newest.
_RETRYABLE_WORDS = ("database is locked", "database table is locked", "database schema is locked")

_NO_TABLE_STATE, _NO_TABLE_NUMBER = "42P01", 1146

# How the drivers say that a store is down, hung, full or busy.
STORE_DOWN = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)
_PATIENCE = 5.0


class LostRace(Exception):
    """A constraint says that somebody else was quicker: run the transaction again."""


def transact(work: Callable[[], T]) -> T:
    """Run `work` in one transaction and commit it; inside another transaction, join that one.

    `work` may run more than once, so it must do nothing but read and write the database and the
    session store; what has to follow the commit goes through :func:`on_commit`.

    :raises TemporarilyUnavailable: when the database is down, hung or full, or stays busy for
        longer than 5 seconds.
    """
    return _run(work, db.session.commit)


def read(work: Callable[[], T]) -> T:
    """Run `work`, which only reads, and give the connection back; as :func:`transact` otherwise."""
    return _run(work, db.session.rollback)


def on_commit(action: Callable[[], None]) -> None:
    """Run `action` once the transaction at hand is committed; forget it when it is not."""
    db.session.info.setdefault("on_commit", []).append(action)


def on_rollback(action: Callable[[], None]) -> None:
    """Run `action` should the transaction at hand not be committed, each time it is not.

    It is for what a store beside the database did meanwhile, and must raise nothing. A commit
    whose answer was lost may have happened all the same.
    """
    db.session.info.setdefault("on_rollback", []).append(action)


def transaction_id() -> str:
    """Return what the transaction at hand is known by, the same each time it has to run again."""
    info = db.session.info
    return str(info["transaction_id"] if info.get("is_in_transaction") else uuid.uuid4().hex)


def _run(work: Callable[[], T], finish: Callable[[], None]) -> T:
    session = db.session()
    if session.info.get("is_in_transaction"):
        return work()
    session.info["transaction_id"] = uuid.uuid4().hex
    give_up_at = time.monotonic() + _PATIENCE
    attempt = 0
    while True:
        session.info["is_in_transaction"] = True
        session.info["on_commit"], session.info["on_rollback"] = [], []
        is_finishing = is_finished = False
        try:
            result = work()
            is_finishing = True
            finish()
            is_finished = True
            break
        except (LostRace, *STORE_DOWN) as error:
            attempt += 1
            # A connection that died under way did nothing; one that died during the commit may
            # have, and only whoever asked can tell.
            is_safe = getattr(error, "connection_invalidated", False) and not is_finishing
            if not (is_safe or _is_retryable(error)) or time.monotonic() > give_up_at:
                raise TemporarilyUnavailable from error
        except exc.ProgrammingError as error:
            # Our own mistake, unless the tables are still to come.
            if _says(error, {_NO_TABLE_STATE}, {_NO_TABLE_NUMBER}):
                raise TemporarilyUnavailable from error
            raise
        finally:
            session.info["is_in_transaction"] = False
            session.rollback()
            for action in () if is_finished else session.info["on_rollback"]:
                action()
        time.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 6)))
    for action in session.info.pop("on_commit"):
        action()
    return result


def _is_retryable(error: Exception) -> bool:
    if isinstance(error, LostRace):
        return True
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
