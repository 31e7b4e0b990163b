"""One-time tokens: what a mailed link carries."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Digest, Email, Id, Subject, UtcDateTime


class OneTimeTokenRow(Base):
    """The newest token of one purpose (and subject) of one account, known by its digest alone."""

    __tablename__ = "one_time_tokens"

    user_id: Mapped[str] = mapped_column(
        Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[str] = mapped_column(String(40), primary_key=True)
    # What else tells tokens of one purpose apart: a session, or the digest of an address.
    subject: Mapped[str] = mapped_column(Subject, primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, unique=True)
    # The address that it is about, where that is not the account's present one.
    email: Mapped[str | None] = mapped_column(Email)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Digest of the secret in the cookie of the browser that asked for it, where there was one.
    browser_digest: Mapped[str | None] = mapped_column(Digest)
