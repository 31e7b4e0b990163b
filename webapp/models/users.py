"""People's accounts and the roles they hold."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import Base
from webapp.models.types import Email, Id, UtcDateTime


class UserRow(Base):
    """An account. Everybody has the role `user`; further ones stand in user_roles."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(Email, unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When its owner asked for it to be erased; signing in takes that back.
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # Device cookies from before this moment are strangers again.
    devices_since: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


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
