"""Revocation at once, at the price of a stateless token.

Each process keeps a snapshot of the sessions that ended or changed within one access-token
lifetime, and reads it again at most once a second: one query a process a second, none a request.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp import clock
from webapp.errors import TemporarilyUnavailable, TokenExpired, TokenRevoked

logger = logging.getLogger(__name__)

MAX_AGE = 1.0
# A snapshot this old can no longer promise anything; rather no answer than a wrong one.
MAX_AGE_WHILE_DOWN = 5.0


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a session: it ended, or tokens that do not know of `at` tell old facts."""

    at: datetime
    is_ended: bool


class Revocations:
    """The snapshot of one process."""

    def __init__(
        self,
        read_changes: Callable[[datetime], list[tuple[str, datetime, bool]]],
        access_lifetime: timedelta,
    ) -> None:
        """Prepare, without reading yet.

        :param read_changes: reads (session id, changed at, is ended) since a moment.
        :param access_lifetime: how long a change matters; older tokens have expired by then.
        """
        self._read_changes = read_changes
        # Ten seconds more, for clocks that differ between the nodes and the store.
        self._horizon = access_lifetime + timedelta(seconds=10)
        self._changes: dict[str, Change] = {}
        self._read_at = self._failed_at = float("-inf")
        self._lock = threading.Lock()

    def check(self, session_id: str, facts_of: datetime | None) -> None:
        """Refuse an access token whose session has ended, or changed since its facts were read.

        :param facts_of: the change of the session that the token knows of, None for none.
        :raises TokenRevoked: when the session has ended.
        :raises TokenExpired: when the session goes on, but this token tells old facts.
        :raises TemporarilyUnavailable: when the store has not answered for 5 seconds.
        """
        change = self._snapshot().get(session_id)
        if change is None:
            return
        if change.is_ended:
            raise TokenRevoked
        if facts_of is None or facts_of < change.at:
            raise TokenExpired

    def since(self, moment: datetime) -> list[tuple[str, Change]]:
        """Return the changes of this moment and later by session id, the oldest first.

        Of one access-token lifetime at most, from the snapshot: no store is asked for it.

        :raises TemporarilyUnavailable: when the store has not answered for 5 seconds.
        """
        found = [item for item in self._snapshot().items() if item[1].at >= moment]
        return sorted(found, key=lambda item: item[1].at)

    def expect_change(self) -> None:
        """Read the snapshot again at the next check: this process has just changed something."""
        self._read_at = float("-inf")

    def _snapshot(self) -> dict[str, Change]:
        asked_at = time.monotonic()
        age = asked_at - self._read_at
        if age < MAX_AGE:
            return self._changes
        # One thread reads; the others go on with what there is, unless it is much too old.
        if self._lock.acquire(blocking=age > 2 * MAX_AGE):
            try:
                if time.monotonic() - self._read_at >= MAX_AGE:
                    self._read(age, asked_at)
            finally:
                self._lock.release()
        return self._changes

    def _read(self, age: float, asked_at: float) -> None:
        started_at = time.monotonic()
        try:
            found = self._try_to_read(asked_at)
        except TemporarilyUnavailable:
            if age > MAX_AGE_WHILE_DOWN:
                raise
            logger.warning(
                "the revocation snapshot could not be read; the last one is %.1f s old", age
            )
            return
        self._changes = {sid: Change(at, is_ended) for sid, at, is_ended in found}
        self._read_at = started_at

    def _try_to_read(self, asked_at: float) -> list[tuple[str, datetime, bool]]:
        if self._failed_at > asked_at:
            # Another thread tried in vain while this one waited for it. A try of its own would
            # take as long again, and that of the next in the queue, too.
            raise TemporarilyUnavailable
        try:
            return self._read_changes(clock.now() - self._horizon)
        except TemporarilyUnavailable:
            self._failed_at = time.monotonic()
            raise
