"""The audit trail: appended to, never changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, or_, select

from webapp.models import AuditEventRow
from webapp.stores.transactions import execute


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One security event."""

    id: str
    at: datetime
    event: str
    user_id: str | None
    actor_id: str | None
    session_id: str | None
    ip: str
    user_agent: str
    detail: str


_FIELDS = tuple(AuditEvent.__dataclass_fields__)
_COLUMNS = tuple(getattr(AuditEventRow, field) for field in _FIELDS)
_INSERT = insert(AuditEventRow)


def latest_of(user_id: str, limit: int) -> list[AuditEvent]:
    """Return a person's newest events, newest first."""
    rows = execute(
        select(*_COLUMNS)
        .where(AuditEventRow.user_id == user_id)
        .order_by(AuditEventRow.at.desc(), AuditEventRow.id.desc())
        .limit(limit)
    )
    return [AuditEvent(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: by name, by whom they name, from one moment to before another."""

    event: str = ""
    person_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def newest(wanted: Wanted, before: tuple[datetime, str] | None, limit: int) -> list[AuditEvent]:
    """Return events before a moment and id, newest first; from the newest without them."""
    query = (
        select(*_COLUMNS).order_by(AuditEventRow.at.desc(), AuditEventRow.id.desc()).limit(limit)
    )
    if wanted.event:
        query = query.where(AuditEventRow.event == wanted.event)
    if wanted.person_id is not None:
        is_about = AuditEventRow.user_id == wanted.person_id
        query = query.where(is_about | (AuditEventRow.actor_id == wanted.person_id))
    if wanted.since:
        query = query.where(AuditEventRow.at >= wanted.since)
    if wanted.until:
        query = query.where(AuditEventRow.at < wanted.until)
    if before:
        at, event_id = before
        # The first half alone is what an index is entered by.
        query = query.where(
            AuditEventRow.at <= at,
            or_(AuditEventRow.at < at, AuditEventRow.id < event_id),
        )
    return [AuditEvent(*row) for row in execute(query)]


def add(event: AuditEvent) -> None:
    """Append an event."""
    execute(_INSERT, {field: getattr(event, field) for field in _FIELDS})
