"""The outbox: messages are claimed one at a time, so that no two processes deliver the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from webapp.models import OutboxRow
from webapp.stores.statements import changes_one
from webapp.stores.transactions import execute, scalar


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one person."""

    id: str
    template: str
    user_id: str
    recipient: str
    subject: str
    text: str
    html: str
    created_at: datetime
    attempts: int
    due_at: datetime | None
    delivered_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an attempt: delivered, to be tried again when due, or given up."""

    delivered_at: datetime | None
    due_at: datetime | None
    error: str | None
    is_body_kept: bool


_FIELDS = tuple(Message.__dataclass_fields__)
_COLUMNS = tuple(getattr(OutboxRow, field) for field in _FIELDS)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages wait, and since when the oldest of them does."""

    count: int
    since: datetime | None


def add(message: Message) -> None:
    """Put a message in."""
    execute(insert(OutboxRow).values({field: getattr(message, field) for field in _FIELDS}))


def find(message_id: str) -> Message | None:
    """Return one message, or None."""
    row = execute(select(*_COLUMNS).where(OutboxRow.id == message_id)).one_or_none()
    return Message(*row) if row else None


def latest(limit: int, recipient_contains: str = "") -> list[Message]:
    """Return the newest messages, newest first."""
    query = select(*_COLUMNS).order_by(OutboxRow.created_at.desc(), OutboxRow.id.desc())
    if recipient_contains:
        query = query.where(OutboxRow.recipient.contains(recipient_contains, autoescape=True))
    return [Message(*row) for row in execute(query.limit(limit))]


def newest(before_id: str, limit: int, is_failed_only: bool) -> list[Message]:
    """Return messages from before one, newest first; from the newest without an id."""
    query = select(*_COLUMNS).order_by(OutboxRow.id.desc()).limit(limit)
    if before_id:
        query = query.where(OutboxRow.id < before_id)
    if is_failed_only:
        query = query.where(OutboxRow.delivered_at.is_(None), OutboxRow.last_error.is_not(None))
    return [Message(*row) for row in execute(query)]


def retry(message_id: str, now: datetime) -> bool:
    """Have a message that was given up tried again; False when it is not given up (any more)."""
    return changes_one(
        update(OutboxRow)
        .where(
            OutboxRow.id == message_id,
            OutboxRow.due_at.is_(None),
            OutboxRow.delivered_at.is_(None),
            OutboxRow.last_error.is_not(None),
        )
        .values(due_at=now, attempts=0)
    )


def undelivered(limit: int) -> list[Message]:
    """Return messages that failed at least once and have not been delivered since."""
    query = select(*_COLUMNS).where(
        OutboxRow.delivered_at.is_(None), OutboxRow.last_error.is_not(None)
    )
    rows = execute(query.order_by(OutboxRow.created_at.desc()).limit(limit))
    return [Message(*row) for row in rows]


def all_of(user_id: str) -> list[Message]:
    """Return every message about a person's account, oldest first."""
    query = select(*_COLUMNS).where(OutboxRow.user_id == user_id).order_by(OutboxRow.created_at)
    return [Message(*row) for row in execute(query)]


def erase_of(user_id: str) -> None:
    """Delete every message about the account of a person who is erased."""
    execute(delete(OutboxRow).where(OutboxRow.user_id == user_id))


def due(now: datetime, limit: int) -> list[Message]:
    """Return messages whose time has come, the longest waiting first."""
    rows = execute(
        select(*_COLUMNS).where(OutboxRow.due_at <= now).order_by(OutboxRow.due_at).limit(limit)
    )
    return [Message(*row) for row in rows]


def backlog() -> Backlog:
    """Return what waits to be delivered or tried again, by the index of due times."""
    query = select(func.count(), func.min(OutboxRow.created_at))
    return Backlog(*execute(query.where(OutboxRow.due_at.is_not(None))).one())


def earliest_due() -> datetime | None:
    """Return when the next message may be tried, or None when none is waiting."""
    due_at: datetime | None = scalar(select(func.min(OutboxRow.due_at)))
    return due_at


def claim(message: Message, mark: str, until: datetime) -> bool:
    """Take a message for delivery; True for exactly one of all who try.

    :param mark: who takes it, an id made for this one attempt.
    :param until: when others may try again, should this process die on the way.
    """
    return changes_one(
        update(OutboxRow)
        .where(OutboxRow.id == message.id, OutboxRow.due_at == message.due_at)
        .where(OutboxRow.attempts == message.attempts)
        .values(claim=mark, due_at=until, attempts=message.attempts + 1)
    )


def settle(message: Message, mark: str, result: Settlement) -> bool:
    """Write down what became of an attempt, if the claim is still one's own."""
    values: dict[str, Any] = {
        "claim": None,
        "delivered_at": result.delivered_at,
        "due_at": result.due_at,
        "last_error": result.error,
    }
    if not result.is_body_kept:
        values |= {"text": "", "html": ""}
    return changes_one(
        update(OutboxRow).where(OutboxRow.id == message.id, OutboxRow.claim == mark).values(values)
    )
