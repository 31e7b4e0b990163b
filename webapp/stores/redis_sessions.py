"""Sessions in Redis: one hash a session, an index a person, and a log of what has ended.

No two keys share a slot of a cluster, so nothing here needs two at once: what has to happen in
one piece is a script on one key, and the rest is put in an order that fails closed:

- The index is written before the session. It may name sessions that are not there, and never
  misses one that is.
- A session is ended before the database commits, and told of in the log before anybody is told.
- The epoch of the account, in the database, makes sure of whatever Redis forgets.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from webapp import clock
from webapp.errors import TemporarilyUnavailable
from webapp.stores import redis_scripts as scripts
from webapp.stores import users
from webapp.stores.redis_hashes import (
    INDEX,
    decode,
    decode_moment,
    encode,
    encode_value,
    index_of,
    key_of,
    new_hash,
)
from webapp.stores.sessions import Found, Session
from webapp.stores.transactions import on_commit, on_rollback, transaction_id

if TYPE_CHECKING:
    from webapp.stores.redis_client import RedisServer

logger = logging.getLogger(__name__)

CHANGES = "latchkey:session-changes"
# Behind the id of a session in that log that has changed and goes on.
CHANGED = " changed"

# A session that an index names and that is not there may be on its way for so long.
_ON_ITS_WAY = timedelta(hours=1)

# What a rotation writes.
MOVING = ("generation", "parent", "rotated_at", "last_used_at", "expires_at", "ip", "user_agent")


class RedisSessions:
    """The sessions in Redis, beside a database with the accounts: a :class:`SessionStore`."""

    def __init__(self, server: "RedisServer", kept_for: timedelta, told_for: timedelta) -> None:
        """Prepare, without connecting yet.

        :param kept_for: how long a session is kept at least once it began or ended, even when its
            refresh token lasts less long.
        :param told_for: how long an access token of a session that ended may still be about.
        """
        self.server = server
        self._kept_for = kept_for
        self._told_for = told_for

    def add(self, session: Session) -> None:
        """Insert a new session; should the transaction fail, it is taken out again.

        Should that fail, too, it is nobody's: its tokens were never handed out.
        """
        epoch = users.session_epoch_of(session.user_id)
        on_rollback(partial(self._take_back, session))
        self.put(replace(session, epoch=epoch))

    def find(self, session_id: str) -> Found | None:
        """Return a session with its account and Redis's time: one reading here, one there."""
        time, pairs = self.server.run(scripts.READ, key_of(session_id))
        fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
        kept = decode(fields)
        account = users.find(kept.user_id) if kept else None
        if kept is None or account is None:
            return None
        now = self.tell_time(time)
        session = kept.in_epoch(account.session_epoch, now)
        if fields["ended_by"] == transaction_id():
            # By this very transaction, which was rolled back and runs again: as in a database,
            # it finds what it found the first time, and comes to telling of the end.
            session = replace(session, ended_at=None, changed_at=None, end_reason=None)
        return Found(session, account, now)

    @staticmethod
    def tell_time(time: list[str]) -> datetime:
        """Return the moment that Redis's TIME names, in seconds and microseconds."""
        return decode_moment(int(time[0]) * 1_000_000 + int(time[1]))

    def advance(self, before: Session, after: Session) -> bool:
        """Compare and swap, in one script."""
        moved = encode(after)
        return bool(
            self.server.run(
                scripts.ADVANCE,
                key_of(before.id),
                *(encode_value(value) for value in (before.generation, before.parent)),
                *(encode_value(value) for value in (after.generation, after.parent)),
                transaction_id(),
                self.expiry(after),
                *(text for name in MOVING for text in (name, moved[name])),
            )
        )

    def set_authenticated(self, session_id: str, now: datetime) -> bool:
        """Note that its owner has shown the password again; False when the session has ended."""
        found = self.server.run(
            scripts.NOTE, key_of(session_id), "authenticated_at", encode_value(now)
        )
        return bool(found)

    def end(self, session_id: str, reason: str) -> bool:
        """End one session; False when it had ended already."""
        return self.end_of(session_id, "", reason)

    def end_of(self, session_id: str, user_id: str, reason: str) -> bool:
        """End one session if it is this person's; False when it is not, or had ended already."""
        ended = self._end(session_id, user_id, reason)
        if ended is None:
            return False
        is_news, ended_at = ended
        # Also when it had ended before: whoever ended it may not have come to telling of it.
        self.tell([(session_id, ended_at)])
        return is_news

    def end_all_of(self, user_id: str, reason: str, but: str | None = None) -> int:
        """End every session of one person, but one where it is named; say how many there were.

        This holds the account's row, so that a sign-in comes before or after all of it.
        """
        before = users.session_epoch_of(user_id)
        users.begin_session_epoch(user_id)
        if but is not None:
            after = users.session_epoch_of(user_id)
            self.server.run(scripts.KEEP, key_of(but), user_id, before, after)
        count, told = 0, []
        for session in self._look_up(index_of(user_id))[0]:
            # Those that had ended are told of again: see end_of().
            is_old = session.ended_at and session.ended_at < clock.now() - self._told_for
            if session.id != but and not is_old and (ended := self._end(session.id, "", reason)):
                count += ended[0]
                told.append((session.id, ended[1]))
        self.tell(told)
        return count

    def list_of(self, user_id: str, now: datetime) -> list[Session]:
        """Return a person's living sessions, the last used first."""
        living = [
            session
            for session in self.all_of(user_id)
            if session.ended_at is None and session.expires_at > now
        ]
        return sorted(living, key=lambda session: session.last_used_at, reverse=True)

    def all_of(self, user_id: str) -> list[Session]:
        """Return every session that is kept of a person, be it ended or expired, oldest first."""
        epoch, now = users.session_epoch_of(user_id), clock.now()
        found = [one.in_epoch(epoch, now) for one in self._look_up(index_of(user_id))[0]]
        return sorted(found, key=lambda session: (session.created_at, session.id))

    def note_change_of(self, user_id: str) -> None:
        """Have the access tokens of a person's living sessions expire, before and after the commit.

        Before it, so that a process that dies then leaves no token behind that says what was. And
        after it, since whoever refreshes in between is given the new mark with the old roles.
        """
        self._note_change_of(user_id)
        on_commit(partial(self._note_change_again, user_id))

    def erase_of(self, user_id: str) -> None:
        """Delete every session of a person who is erased."""
        index = index_of(user_id)
        ids = self.server.ask(lambda client: client.zrange(index, 0, -1))
        for key in (*map(key_of, ids), index):
            self.server.ask(partial(_delete, key=key))

    def changed_since(self, moment: datetime) -> list[tuple[str, datetime, bool]]:
        """Return (id, changed at, is ended) of sessions ended or changed, in one round trip."""
        found = self.server.ask(
            lambda client: client.zrangebyscore(
                CHANGES, encode_value(moment), "+inf", withscores=True
            )
        )
        return [
            (name.removesuffix(CHANGED), decode_moment(int(score)), not name.endswith(CHANGED))
            for name, score in found
        ]

    def prune(self, before: datetime, limit: int) -> int:
        """Take up to `limit` sessions that have expired out of the indexes; say how many.

        The sessions themselves Redis deletes when their time has come, whatever `before` says.
        """
        count = 0
        for index in self.server.walk(INDEX + "*"):
            count += self._look_up(index)[1]
            if count >= limit:
                break
        return count

    def put(self, session: Session) -> None:
        """Write a new session, into the index first."""
        self.name(session)
        self.server.run(scripts.PUT, key_of(session.id), self.expiry(session), *new_hash(session))

    def name(self, session: Session) -> None:
        """Write a session into its owner's index."""
        added_at = encode_value(clock.now())
        index = index_of(session.user_id)
        self.server.ask(lambda client: client.zadd(index, {session.id: added_at}))

    def forget(self, session: Session) -> None:
        """Delete a session, and then its name in the index."""
        self.server.ask(partial(_delete, key=key_of(session.id)))
        index = index_of(session.user_id)
        self.server.ask(lambda client: client.zrem(index, session.id))

    def tell(self, ended: list[tuple[str, datetime]]) -> None:
        """Put sessions that have ended into the log that the revocation snapshot reads."""
        for start in range(0, len(ended), 1000):
            pairs = [
                text
                for session_id, ended_at in ended[start : start + 1000]
                for text in (encode_value(ended_at), session_id)
            ]
            told_for = int(self._told_for.total_seconds() * 1_000_000)
            self.server.run(scripts.TELL, CHANGES, told_for, *pairs)

    def _end(self, session_id: str, user_id: str, reason: str) -> tuple[bool, datetime] | None:
        """Return whether this ended it, and when it ended; None when there is none to end."""
        kept_for = int(self._kept_for.total_seconds() * 1000)
        key = key_of(session_id)
        ended = self.server.run(scripts.END, key, user_id, reason, transaction_id(), kept_for)
        return (bool(ended[0]), decode_moment(int(ended[1]))) if ended else None

    def _look_up(self, index: str) -> tuple[list[Session], int]:
        """Return the sessions that an index names, and how many it named in vain.

        Those it forgets, unless they may be on their way.
        """
        named = self.server.ask(lambda client: client.zrange(index, 0, -1, withscores=True))

        def read(client: Any) -> list[dict[str, str]]:
            with client.pipeline(transaction=False) as pipeline:
                for session_id, _ in named:
                    pipeline.hgetall(key_of(session_id))
                found: list[dict[str, str]] = pipeline.execute()
                return found

        kept, gone = [], []
        arrived = int(encode_value(clock.now() - _ON_ITS_WAY))
        for (session_id, added_at), fields in zip(named, self.server.ask(read), strict=True):
            if one := decode(fields):
                kept.append(one)
            elif added_at < arrived:
                gone.append(session_id)
        if gone:
            self.server.ask(lambda client: client.zrem(index, *gone))
        return kept, len(gone)

    def _note_change_of(self, user_id: str) -> None:
        told = []
        for session in self._look_up(index_of(user_id))[0]:
            if changed_at := self.server.run(scripts.CHANGE, key_of(session.id)):
                told.append((session.id + CHANGED, decode_moment(int(changed_at))))
        self.tell(told)

    def _note_change_again(self, user_id: str) -> None:
        try:
            self._note_change_of(user_id)
        except TemporarilyUnavailable:
            logger.warning("roles of %s changed while Redis is down: old for minutes", user_id)

    def _take_back(self, session: Session) -> None:
        """Take a session out again whose transaction failed."""
        try:
            self.forget(session)
        except TemporarilyUnavailable:
            logger.warning("session %s stays in Redis, and its tokens are nobody's", session.id)

    def expiry(self, session: Session) -> int:
        """Return when Redis may forget a session, in milliseconds since 1970."""
        kept_until = max(session.expires_at, session.created_at + self._kept_for)
        return int(kept_until.timestamp() * 1000) + 1


def _delete(client: Any, key: str) -> None:
    client.delete(key)
