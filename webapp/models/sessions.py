"""Sign-ins: one row is one device, and one token family."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Id, UtcDateTime


class SessionRow(Base):
    """A session with the state that the refresh rule needs."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    # No foreign key: an ended session outlives its account until no access token is left that
    # the revocation snapshot has to refuse.
    user_id: Mapped[str] = mapped_column(Id, index=True)
    generation: Mapped[int]
    parent: Mapped[int | None]
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    amr: Mapped[str] = mapped_column(String(60))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # Moved by everything that makes its access tokens untrue, ending it included: what the
    # revocation snapshot reads.
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(40))
    # The owner's session_epoch when it began, or when all the others were ended.
    epoch: Mapped[int] = mapped_column(server_default="0")
    is_persistent: Mapped[bool]
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(256))
