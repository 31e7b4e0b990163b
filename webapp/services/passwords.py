"""Password hashing: bcrypt over an HMAC pre-hash, under a bound.

The format is passlib's `$bcrypt-sha256$v=2,…`: the password is first run through HMAC-SHA256
with the salt as its key, so that bcrypt's blindness beyond 72 bytes and to NUL does not matter.
Plain bcrypt hashes from elsewhere verify, and are upgraded when their owner signs in next.
"""

import base64
import hmac
import logging
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import bcrypt

from webapp.errors import TemporarilyUnavailable
from webapp.services.metrics import Metrics

logger = logging.getLogger(__name__)

_PREFIXED = re.compile(
    r"\$bcrypt-sha256\$v=2,t=2b,r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})"
)
_PLAIN = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")

# How much nicer the threads that hash are than the rest: whatever else is to be done goes first.
_NICER = 10
# How long a sign-in waits for its turn at the hash before it is told to come back.
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a password is right, and whether its hash is one to be replaced by a better."""

    is_right: bool
    is_outdated: bool = False


class Passwords:
    """Hashes and verifies; one object a process, since the bound is for the process."""

    def __init__(
        self,
        cost: int,
        at_once: int | None = None,
        waiting: int = 16,
        metrics: Metrics | None = None,
    ) -> None:
        """Prepare.

        :param cost: bcrypt's: two to this power rounds.
        :param at_once: hashes computed at a time; the machine's cores by default, since bcrypt
            leaves the interpreter lock alone.
        :param waiting: how many more may wait; the rest are turned away at once, so that a flood
            of sign-ins never holds all the threads that refresh and page views need.
        :param metrics: where the queue is told.
        """
        self._cost = cost
        self._metrics = metrics or Metrics()
        self._at_once = at_once or os.cpu_count() or 1
        self._turns = threading.Semaphore(self._at_once)
        self._room = threading.Semaphore(self._at_once + waiting)
        self._pools: dict[int, ThreadPoolExecutor] = {}
        # Nobody's hash: it costs what any other costs, and no password has it.
        self._nobodys = f"$bcrypt-sha256$v=2,t=2b,r={cost}${_salt(cost)}${'.' * 31}"

    def hash(self, password: str) -> str:
        """Return a new hash.

        :raises TemporarilyUnavailable: when too many wait for theirs.
        """
        with self._turn():
            return self._threads.submit(self._hash, password).result()

    def verify(self, password: str, stored: str | None) -> Verification:
        """Compare a password with a stored hash, at the price of one hash in every case.

        :param stored: None where there is no account or no password; the same work is done.
        :raises TemporarilyUnavailable: when too many wait for their turn.
        """
        if stored is not None and not (_PREFIXED.fullmatch(stored) or _PLAIN.fullmatch(stored)):
            logger.error("a stored password hash is of no known format; its owner has to reset it")
            stored = None
        with self._turn():
            matching = self._threads.submit(_matches, password, stored or self._nobodys)
            is_right = matching.result() and stored is not None
        return Verification(is_right, is_right and not self._is_current(stored or ""))

    def _hash(self, password: str) -> str:
        return _prefixed_hash(password, self._cost, _salt(self._cost))

    def _is_current(self, stored: str) -> bool:
        match = _PREFIXED.fullmatch(stored)
        return match is not None and int(match[1]) == self._cost

    @property
    def _threads(self) -> ThreadPoolExecutor:
        """Of this process: none of the threads that the one before a fork had is in it."""
        pid = os.getpid()
        return self._pools.get(pid) or self._pools.setdefault(
            pid, ThreadPoolExecutor(self._at_once, "hash", initializer=_let_others_go_first)
        )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            self._metrics.count_refused_hash()
            raise TemporarilyUnavailable
        self._metrics.hash_begins()
        try:
            if not self._turns.acquire(timeout=_PATIENCE):
                self._metrics.count_refused_hash()
                raise TemporarilyUnavailable
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._metrics.hash_ends()
            self._room.release()


def _let_others_go_first() -> None:
    """Lower the priority of the thread at hand, so that a flood of sign-ins slows nobody else."""
    if sys.platform != "linux":  # Elsewhere, it is the whole process that has one.
        return
    thread = threading.get_native_id()
    # Where a sandbox forbids it, passwords are hashed all the same.
    with suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness + _NICER, 19))


def _salt(cost: int) -> str:
    return bcrypt.gensalt(cost).decode()[7:]


def _matches(password: str, stored: str) -> bool:
    if match := _PREFIXED.fullmatch(stored):
        return hmac.compare_digest(_prefixed_hash(password, int(match[1]), match[2]), stored)
    if _PLAIN.fullmatch(stored):
        # Whoever made this hash cut at 72 bytes and could not take NUL; bcrypt 5 raises instead.
        # Hashed all the same, or the time it takes would tell that there is an account.
        secret = password.encode("utf-8", "surrogatepass")
        is_right = bcrypt.checkpw(secret.replace(b"\0", b"")[:72], stored.encode())
        return is_right and b"\0" not in secret
    return False


def _prefixed_hash(password: str, cost: int, salt: str) -> str:
    # NFKC: one password typed on two keyboards is one password (NIST SP 800-63B-4, 3.1.1.2).
    text = unicodedata.normalize("NFKC", password)
    inner = base64.b64encode(hmac.digest(salt.encode(), text.encode(), "sha256"))
    return (
        f"$bcrypt-sha256$v=2,t=2b,r={cost}${salt}$"
        + bcrypt.hashpw(inner, f"$2b${cost:02}${salt}".encode()).decode()[29:]
    )
