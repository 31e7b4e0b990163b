"""The audit trail: who did what, when, from where."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime


class AuditEventRow(Base):
    """One security event. It outlives the account, so it holds an id and never an address."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_user_id_at", "user_id", "at", "id"),
        Index("ix_audit_events_actor_id_at", "actor_id", "at", "id"),
        Index("ix_audit_events_event_at", "event", "at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    event: Mapped[str] = mapped_column(String(60))
    # Whose account it is about, and who did it where that is somebody else.
    user_id: Mapped[str | None] = mapped_column(Id)
    actor_id: Mapped[str | None] = mapped_column(Id)
    session_id: Mapped[str | None] = mapped_column(Id)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(256))
    detail: Mapped[str] = mapped_column(String(200))
