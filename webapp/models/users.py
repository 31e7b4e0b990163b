"""People's accounts and the roles they hold."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp import clock
from webapp.extensions import Base
from webapp.models.types import Email, Id, SearchKey, UtcDateTime


class UserRow(Base):
    """An account. Everybody has the role `user`; further ones stand in user_roles."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "name_key", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(Email, unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(String(100))
    # The name as it is searched for: without capitals.
    name_key: Mapped[str] = mapped_column(SearchKey, server_default="")
    password_hash: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Moved by every update that does not say otherwise; empty as long as there was none.
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime, onupdate=clock.now)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When its owner asked for it to be erased; signing in takes that back.
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # Device cookies from before this moment are strangers again.
    devices_since: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A sign-in that has read older roles than these has to read them again.
    roles_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Moves on when all sessions are ended: one of an earlier epoch is dead, wherever it is kept.
    session_epoch: Mapped[int] = mapped_column(server_default="0")


class RoleRow(Base):
    """A role that can be given."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)


class UserRoleRow(Base):
    """One role of one account."""

    __tablename__ = "user_roles"

    user_id: Mapped[str] = mapped_column(
        Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(
        String(40), ForeignKey("roles.name"), primary_key=True, index=True
    )
