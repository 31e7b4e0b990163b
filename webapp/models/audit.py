"""The audit trail: who did what, when, from where."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime


class AuditEventRow(Base):
    """One security event. It outlives the account, so it holds an id and never an address."""

    __tablename__ = "audit_events"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    event: Mapped[str] = mapped_column(String(60))
    user_id: Mapped[str | None] = mapped_column(Id, index=True)
    session_id: Mapped[str | None] = mapped_column(Id)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(256))
    detail: Mapped[str] = mapped_column(String(200))
