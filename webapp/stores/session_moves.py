"""Sessions on their way from one store to the other, while the site runs on either.

A session may be in both stores for a while and go on in one of them. What is known of it is put
together so that nobody is signed out and nothing comes back to life: the further generation
counts, and an end counts before everything.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from webapp import clock
from webapp.models import SessionRow
from webapp.stores import redis_scripts as scripts
from webapp.stores import users
from webapp.stores.redis_hashes import SESSION, decode, encode, key_of, new_hash
from webapp.stores.redis_sessions import MOVING, RedisSessions
from webapp.stores.sessions import Session
from webapp.stores.statements import changes_one
from webapp.stores.transactions import LostRace, execute, read, scalar

_FIELDS = tuple(Session.__dataclass_fields__)
_COLUMNS = tuple(getattr(SessionRow, field) for field in _FIELDS)
_ENDING = ("ended_at", "changed_at", "end_reason")


class Side(Protocol):
    """One of the two stores; all but `walk` is part of a transaction."""

    def walk(self, size: int) -> Iterator[list[Session]]:
        """Return all sessions that are kept and have not expired, up to `size` at a time."""

    def take_over(self, session: Session) -> bool:
        """Put together what both know of a session; say whether anything of it was new here."""

    def let_go(self, session: Session) -> None:
        """Delete a session that the other side has taken over, unless it went on here."""


class SqlSide:
    """The sessions in the database."""

    def walk(self, size: int) -> Iterator[list[Session]]:
        """Return them in the order of their ids."""
        after = ""
        while found := read(partial(self._page, after, size)):
            after = found[-1].id
            yield found

    def take_over(self, session: Session) -> bool:
        """Insert it, or move the row on by guarded statements."""
        known = select(SessionRow.id).where(SessionRow.id == session.id)
        if scalar(known) is None:
            try:
                execute(insert(SessionRow).values(_values(session, _FIELDS)))
            except IntegrityError as error:
                raise LostRace from error
            return True
        row = update(SessionRow).where(SessionRow.id == session.id, SessionRow.ended_at.is_(None))
        is_news = changes_one(
            row.where(SessionRow.generation < session.generation).values(_values(session, MOVING))
        )
        for name in ("epoch", "authenticated_at"):
            value = getattr(session, name)
            changes_one(row.where(getattr(SessionRow, name) < value).values({name: value}))
        if session.ended_at:
            is_news |= changes_one(row.values(_values(session, _ENDING)))
        return is_news

    def let_go(self, session: Session) -> None:
        """Delete the row, if it still stands where it stood."""
        execute(
            delete(SessionRow).where(
                SessionRow.id == session.id,
                SessionRow.generation == session.generation,
                SessionRow.ended_at.is_not_distinct_from(session.ended_at),
            )
        )

    def _page(self, after: str, size: int) -> list[Session]:
        rows = execute(
            select(*_COLUMNS)
            .where(SessionRow.id > after, SessionRow.expires_at > clock.now())
            .order_by(SessionRow.id)
            .limit(size)
        )
        return [Session(*row) for row in rows]


class RedisSide:
    """The sessions in Redis."""

    def __init__(self, sessions: RedisSessions) -> None:
        self._sessions = sessions

    def walk(self, size: int) -> Iterator[list[Session]]:
        """Return them in no order; one may come twice."""
        keys = self._sessions.server.walk(SESSION + "*")
        while batch := list(islice(keys, size)):
            now = clock.now()
            found = filter(None, map(self._read, batch))
            yield [one for one in found if one.expires_at > now]

    def take_over(self, session: Session) -> bool:
        """Write it, or what is new of it, in one script; what has ended is told of."""
        self._sessions.name(session)
        is_news = self._sessions.server.run(
            scripts.MERGE,
            key_of(session.id),
            self._sessions.expiry(session),
            *_texts(session, MOVING),
            *_texts(session, _ENDING),
            *_texts(session, ("epoch", "authenticated_at")),
            *new_hash(session),
        )
        if session.ended_at:
            self._sessions.tell([(session.id, session.ended_at)])
        return bool(is_news)

    def let_go(self, session: Session) -> None:
        """Delete it, and then its name in the index."""
        self._sessions.forget(session)

    def _read(self, key: str) -> Session | None:
        fields: dict[str, str] = self._sessions.server.ask(lambda client: client.hgetall(key))
        session = decode(fields)
        if session is None:
            return None
        epoch = read(lambda: users.session_epoch_of(session.user_id))
        return session.in_epoch(epoch, clock.now())


def _values(session: Session, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(session, name) for name in names}


def _texts(session: Session, names: tuple[str, ...]) -> list[str]:
    fields = encode(session)
    return [text for name in names for text in (name, fields[name])]
