"""One-time tokens: what a mailed link carries."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Digest, Id, UtcDateTime


class OneTimeTokenRow(Base):
    """The newest token of one purpose of one account, known by its digest alone."""

    __tablename__ = "one_time_tokens"

    user_id: Mapped[str] = mapped_column(
        Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Digest of the secret in the cookie of the browser that asked for it, where there was one.
    browser_digest: Mapped[str | None] = mapped_column(Digest)
