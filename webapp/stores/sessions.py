"""Sessions in SQL: one statement to read one, one guarded statement to move it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update

from webapp.errors import TemporarilyUnavailable
from webapp.extensions import db
from webapp.models import SessionRow, UserRoleRow, UserRow
from webapp.stores.clock import store_now
from webapp.stores.statements import changes_one, count_changed
from webapp.stores.transactions import STORE_DOWN
from webapp.stores.users import ACCOUNT_COLUMNS, Account, account_of


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in on one device, and one token family."""

    id: str
    user_id: str
    created_at: datetime
    last_used_at: datetime
    authenticated_at: datetime
    amr: str
    expires_at: datetime
    is_persistent: bool
    ip: str
    user_agent: str
    generation: int = 1
    parent: int | None = None
    rotated_at: datetime | None = None
    changed_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A session, whose it is, and what the store's clock said when it was read."""

    session: Session
    account: Account
    now: datetime


_FIELDS = tuple(Session.__dataclass_fields__)
_COLUMNS = tuple(getattr(SessionRow, field) for field in _FIELDS)


def add(session: Session) -> None:
    """Insert a new session."""
    db.session.execute(
        insert(SessionRow).values({field: getattr(session, field) for field in _FIELDS})
    )


def find(session_id: str) -> Found | None:
    """Return a session with its account and the store's time, in one statement; or None."""
    rows: Sequence[Any] = db.session.execute(
        select(*ACCOUNT_COLUMNS, UserRoleRow.role, store_now(), *_COLUMNS)
        .select_from(SessionRow)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .outerjoin(UserRoleRow, UserRoleRow.user_id == UserRow.id)
        .where(SessionRow.id == session_id)
    ).all()
    account = account_of(rows)
    if account is None:
        return None
    width = len(ACCOUNT_COLUMNS) + 1
    return Found(Session(*rows[0][width + 1 :]), account, rows[0][width])


def advance(before: Session, after: Session) -> bool:
    """Compare and swap: move a living session on if its generation is still what was read.

    :returns: False when somebody else was quicker, be it with a rotation or with its end; read
        again in a new transaction and decide again.
    """
    return changes_one(
        update(SessionRow)
        .where(
            SessionRow.id == before.id,
            SessionRow.generation == before.generation,
            # The parent too: a recovery and a rotation may both stand at the same generation.
            SessionRow.parent.is_not_distinct_from(before.parent),
            SessionRow.ended_at.is_(None),
        )
        .values(
            generation=after.generation,
            parent=after.parent,
            rotated_at=after.rotated_at,
            last_used_at=after.last_used_at,
            expires_at=after.expires_at,
            ip=after.ip,
            user_agent=after.user_agent,
        )
    )


def end(session_id: str, reason: str) -> bool:
    """End one session; False when it had ended already."""
    return _end(SessionRow.id == session_id, reason) == 1


def end_all_of(user_id: str, reason: str, but: str | None = None) -> int:
    """End every session of one person, but one where it is named; say how many there were."""
    which = SessionRow.user_id == user_id
    return _end(which if but is None else which & (SessionRow.id != but), reason)


def end_of(session_id: str, user_id: str, reason: str) -> bool:
    """End one session if it is this person's; False when it is not, or had ended already."""
    return _end((SessionRow.id == session_id) & (SessionRow.user_id == user_id), reason) == 1


def list_of(user_id: str, now: datetime) -> list[Session]:
    """Return a person's living sessions, the last used first."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(
            SessionRow.user_id == user_id,
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > now,
        )
        .order_by(SessionRow.last_used_at.desc(), SessionRow.id)
    )
    return [Session(*row) for row in rows]


def all_of(user_id: str) -> list[Session]:
    """Return every session that is kept of a person, be it ended or expired, oldest first."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(SessionRow.user_id == user_id)
        .order_by(SessionRow.created_at, SessionRow.id)
    )
    return [Session(*row) for row in rows]


def set_authenticated(session_id: str, now: datetime) -> bool:
    """Note that its owner has shown the password again; False when the session has ended."""
    return changes_one(
        update(SessionRow)
        .where(SessionRow.id == session_id, SessionRow.ended_at.is_(None))
        .values(authenticated_at=now)
    )


def erase_of(user_id: str) -> None:
    """Delete every session of a person who is erased."""
    db.session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def changed_since(moment: datetime) -> list[tuple[str, datetime, bool]]:
    """Return (id, changed at, is ended) of sessions ended or changed since a moment.

    On a connection of its own, whatever transaction is going on.

    :raises TemporarilyUnavailable: when the database is down.
    """
    query = select(SessionRow.id, SessionRow.changed_at, SessionRow.ended_at.is_not(None))
    try:
        with db.engine.connect() as connection:
            rows = connection.execute(query.where(SessionRow.changed_at >= moment)).all()
    except STORE_DOWN as error:
        raise TemporarilyUnavailable from error
    return [(sid, changed_at, bool(ended)) for sid, changed_at, ended in rows if changed_at]


def prune(before: datetime, limit: int) -> int:
    """Delete up to `limit` sessions that ended or expired before this moment; say how many."""
    ids = db.session.scalars(
        select(SessionRow.id)
        .where(
            or_(
                SessionRow.expires_at < before,
                and_(SessionRow.changed_at < before, SessionRow.ended_at.is_not(None)),
            )
        )
        .limit(limit)
    ).all()
    return count_changed(delete(SessionRow).where(SessionRow.id.in_(ids))) if ids else 0


def _end(which: Any, reason: str) -> int:
    now = store_now()
    return count_changed(
        update(SessionRow)
        .where(which, SessionRow.ended_at.is_(None))
        .values(ended_at=now, changed_at=now, end_reason=reason)
    )
