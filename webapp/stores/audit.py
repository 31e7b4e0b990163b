"""The audit trail: appended to, never changed."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert, select

from webapp.extensions import db
from webapp.models import AuditEventRow


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One security event."""

    id: str
    at: datetime
    event: str
    user_id: str | None
    session_id: str | None
    ip: str
    user_agent: str
    detail: str


_COLUMNS = tuple(getattr(AuditEventRow, field) for field in AuditEvent.__dataclass_fields__)


def latest_of(user_id: str, limit: int) -> list[AuditEvent]:
    """Return a person's newest events, newest first."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .where(AuditEventRow.user_id == user_id)
        .order_by(AuditEventRow.at.desc(), AuditEventRow.id.desc())
        .limit(limit)
    )
    return [AuditEvent(*row) for row in rows]


def add(event: AuditEvent) -> None:
    """Append an event."""
    db.session.execute(insert(AuditEventRow).values(asdict(event)))
