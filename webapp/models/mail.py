"""The outbox: mail written in the same transaction as what it tells about."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Email, Id, UtcDateTime


class OutboxRow(Base):
    """One message to one person, and how far its delivery has come."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "delivered_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    template: Mapped[str] = mapped_column(String(40))
    # Whose account it is about: the address alone is not enough to find it again.
    user_id: Mapped[str] = mapped_column(Id, index=True)
    recipient: Mapped[str] = mapped_column(Email)
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    # When it may be tried (again); empty once it is delivered or given up.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # Who is delivering it at the moment: whoever finds its own mark here, and nobody else.
    claim: Mapped[str | None] = mapped_column(Id)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(300))
