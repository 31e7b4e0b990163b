"""Sessions in SQL: one statement to read one, one guarded statement to move it on."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, true, update

from webapp.extensions import db
from webapp.models import SessionRow, UserRoleRow, UserRow
from webapp.stores import users
from webapp.stores.clock import store_now
from webapp.stores.sessions import Found, Session
from webapp.stores.statements import changes_one, count_changed
from webapp.stores.transactions import execute, read_apart, scalars
from webapp.stores.users import ACCOUNT_COLUMNS, account_of

_FIELDS = tuple(Session.__dataclass_fields__)
_COLUMNS = tuple(getattr(SessionRow, field) for field in _FIELDS)

# The store's own to say.
_GIVEN = tuple(field for field in _FIELDS if field != "epoch")
_ADVANCED = (
    "generation",
    "parent",
    "rotated_at",
    "last_used_at",
    "expires_at",
    "ip",
    "user_agent",
)


def _epoch_of(user_id: Any) -> Any:
    return select(UserRow.session_epoch).where(UserRow.id == user_id).scalar_subquery()


def _new(fields: Sequence[str]) -> dict[str, Any]:
    return {field: bindparam(f"new_{field}") for field in fields}


# Made once: to put a statement together takes SQLAlchemy longer than to run it.
_INSERT = insert(SessionRow).values(
    _new(_GIVEN) | {"epoch": func.coalesce(_epoch_of(bindparam("new_user_id")), 0)}
)
_ADVANCE = (
    update(SessionRow)
    .where(
        SessionRow.id == bindparam("wanted"),
        SessionRow.generation == bindparam("generation_read"),
        # The parent too: a recovery and a rotation may both stand at the same generation.
        SessionRow.parent.is_not_distinct_from(bindparam("parent_read")),
        SessionRow.ended_at.is_(None),
    )
    .values(_new(_ADVANCED))
)


# The moments after which a session is kept for a while, and what has to be true beside them.
_OVER = (
    (SessionRow.expires_at, true()),
    (SessionRow.changed_at, SessionRow.ended_at.is_not(None)),
)


@cache
def _by_id(_dialect: str) -> Any:
    """Return the query for a session, its account and the time, as this database tells it."""
    return (
        select(*ACCOUNT_COLUMNS, UserRoleRow.role, store_now(), *_COLUMNS)
        .select_from(SessionRow)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .outerjoin(UserRoleRow, UserRoleRow.user_id == UserRow.id)
        .where(SessionRow.id == bindparam("wanted"))
    )


class SqlSessions:
    """The sessions in the database that has everything else, too: a :class:`SessionStore`."""

    def add(self, session: Session) -> None:
        """Insert a new session."""
        execute(_INSERT, {f"new_{field}": getattr(session, field) for field in _GIVEN})

    def find(self, session_id: str) -> Found | None:
        """Return a session with its account and the store's time, in one statement; or None."""
        rows = execute(_by_id(db.engine.dialect.name), {"wanted": session_id}).all()
        account = account_of(rows)
        if account is None:
            return None
        width = len(ACCOUNT_COLUMNS) + 1
        session, now = Session(*rows[0][width + 1 :]), rows[0][width]
        return Found(session.in_epoch(account.session_epoch, now), account, now)

    def advance(self, before: Session, after: Session) -> bool:
        """Compare and swap, in one guarded statement."""
        return changes_one(
            _ADVANCE,
            {
                "wanted": before.id,
                "generation_read": before.generation,
                "parent_read": before.parent,
                **{f"new_{field}": getattr(after, field) for field in _ADVANCED},
            },
        )

    def end(self, session_id: str, reason: str) -> bool:
        """End one session; False when it had ended already."""
        return _end(SessionRow.id == session_id, reason) == 1

    def end_all_of(self, user_id: str, reason: str, but: str | None = None) -> int:
        """End every session of one person, but one where it is named; say how many there were."""
        users.begin_session_epoch(user_id)
        which = SessionRow.user_id == user_id
        if but is None:
            return _end(which, reason)
        execute(
            update(SessionRow)
            .where(which, SessionRow.id == but, SessionRow.ended_at.is_(None))
            .values(epoch=func.coalesce(_epoch_of(user_id), 0))
        )
        return _end(which & (SessionRow.id != but), reason)

    def end_of(self, session_id: str, user_id: str, reason: str) -> bool:
        """End one session if it is this person's; False when it is not, or had ended already."""
        return _end((SessionRow.id == session_id) & (SessionRow.user_id == user_id), reason) == 1

    def list_of(self, user_id: str, now: datetime) -> list[Session]:
        """Return a person's living sessions, the last used first."""
        rows = execute(
            select(*_COLUMNS)
            .where(
                SessionRow.user_id == user_id,
                SessionRow.ended_at.is_(None),
                SessionRow.expires_at > now,
            )
            .order_by(SessionRow.last_used_at.desc(), SessionRow.id)
        )
        return [Session(*row) for row in rows]

    def all_of(self, user_id: str) -> list[Session]:
        """Return every session that is kept of a person, be it ended or expired, oldest first."""
        rows = execute(
            select(*_COLUMNS)
            .where(SessionRow.user_id == user_id)
            .order_by(SessionRow.created_at, SessionRow.id)
        )
        return [Session(*row) for row in rows]

    def set_authenticated(self, session_id: str, now: datetime) -> bool:
        """Note that its owner has shown the password again; False when the session has ended."""
        return changes_one(
            update(SessionRow)
            .where(SessionRow.id == session_id, SessionRow.ended_at.is_(None))
            .values(authenticated_at=now)
        )

    def note_change_of(self, user_id: str) -> None:
        """Have the access tokens of a person's living sessions expire."""
        count_changed(
            update(SessionRow)
            .where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
            .values(changed_at=store_now())
        )

    def erase_of(self, user_id: str) -> None:
        """Delete every session of a person who is erased."""
        execute(delete(SessionRow).where(SessionRow.user_id == user_id))

    def changed_since(self, moment: datetime) -> list[tuple[str, datetime, bool]]:
        """Return (id, changed at, is ended) of sessions ended or changed since a moment.

        On a connection of its own, whatever transaction is going on.

        :raises TemporarilyUnavailable: when the database is down.
        """
        query = select(SessionRow.id, SessionRow.changed_at, SessionRow.ended_at.is_not(None))
        rows = read_apart(lambda: execute(query.where(SessionRow.changed_at >= moment)).all())
        return [(sid, changed_at, bool(ended)) for sid, changed_at, ended in rows if changed_at]

    def prune(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` sessions that ended or expired before this moment; say how many."""
        for moment, is_over in _OVER:
            # In the order of its index: a database that looked for both at once, in any order,
            # would go through all that there are for each batch.
            found = select(SessionRow.id).where(moment < before, is_over).order_by(moment)
            if ids := scalars(found.limit(limit)).all():
                return count_changed(delete(SessionRow).where(SessionRow.id.in_(ids)))
        return 0


def _end(which: Any, reason: str) -> int:
    now = store_now()
    return count_changed(
        update(SessionRow)
        .where(which, SessionRow.ended_at.is_(None))
        .values(ended_at=now, changed_at=now, end_reason=reason)
    )
