"""Who somebody is at other providers, and what is under way there."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Digest, Email, Id, ProviderSubject, Subject, UtcDateTime


class IdentityRow(Base):
    """One person at one provider, who signs in to one account; an account has one a provider."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("user_id", "provider"),)

    provider: Mapped[str] = mapped_column(Subject, primary_key=True)
    subject: Mapped[str] = mapped_column(ProviderSubject, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    # As the provider gave it when they were linked, to tell one from another; it decides nothing.
    email: Mapped[str | None] = mapped_column(Email)
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AddressProofRow(Base):
    """An identity that waits for its person to prove an address with a mailed link."""

    __tablename__ = "address_proofs"

    provider: Mapped[str] = mapped_column(Subject, primary_key=True)
    subject: Mapped[str] = mapped_column(ProviderSubject, primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, unique=True)
    # The account that will be made, unless there is one.
    user_id: Mapped[str] = mapped_column(Id)
    email: Mapped[str] = mapped_column(Email)
    name: Mapped[str] = mapped_column(String(100))
    browser_digest: Mapped[str] = mapped_column(Digest)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SpentStateRow(Base):
    """A `state` that came back from a provider: none is taken twice."""

    __tablename__ = "spent_states"

    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
