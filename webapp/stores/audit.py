"""The audit trail: appended to, never changed."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert

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


def add(event: AuditEvent) -> None:
    """Append an event."""
    db.session.execute(insert(AuditEventRow).values(asdict(event)))
