"""Accounts and their roles."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from webapp.models import SessionRow, UserRoleRow, UserRow
from webapp.models.types import UtcDateTime
from webapp.stores.statements import changes_one
from webapp.stores.transactions import LostRace, execute, scalar

EVERYBODYS_ROLE = "user"


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account as the rules see it."""

    id: str
    email: str
    email_verified_at: datetime | None
    name: str
    password_hash: str | None
    created_at: datetime
    devices_since: datetime
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    roles_changed_at: datetime | None = None
    # Moves on when all sessions are ended; see webapp.stores.sessions.
    session_epoch: int = 0
    updated_at: datetime | None = None
    roles: tuple[str, ...] = (EVERYBODYS_ROLE,)

    @property
    def email_verified(self) -> bool:
        """Whether somebody who reads mail at this address has confirmed it."""
        return self.email_verified_at is not None

    @property
    def is_disabled(self) -> bool:
        """Whether an operator has shut this account."""
        return self.disabled_at is not None

    @property
    def is_deleted(self) -> bool:
        """Whether this account waits to be erased, unless its owner signs in."""
        return self.deleted_at is not None


ACCOUNT_COLUMNS = (
    UserRow.id,
    UserRow.email,
    UserRow.email_verified_at,
    UserRow.name,
    UserRow.password_hash,
    UserRow.created_at,
    UserRow.devices_since,
    UserRow.disabled_at,
    UserRow.deleted_at,
    UserRow.last_sign_in_at,
    UserRow.roles_changed_at,
    UserRow.session_epoch,
    UserRow.updated_at,
)


_ACCOUNTS = select(*ACCOUNT_COLUMNS, UserRoleRow.role).outerjoin(
    UserRoleRow, UserRoleRow.user_id == UserRow.id
)
# Made once: to put a statement together takes SQLAlchemy longer than to run it.
_BY_ID = _ACCOUNTS.where(UserRow.id == bindparam("wanted"))
_BY_EMAIL = _ACCOUNTS.where(UserRow.email == bindparam("wanted"))
_NOTE_SIGN_IN = (
    update(UserRow)
    .where(
        UserRow.id == bindparam("wanted"),
        UserRow.password_hash == bindparam("hash_read"),
        UserRow.roles_changed_at.is_not_distinct_from(bindparam("roles_read")),
        UserRow.disabled_at.is_(None),
    )
    .values(
        last_sign_in_at=bindparam("moment"), password_hash=bindparam("hash_kept"), deleted_at=None
    )
)


def search_key(text: str) -> str:
    """Return a name, or what somebody types to find one, as both are compared: no capitals."""
    return unicodedata.normalize("NFKC", text).casefold()[:100]


def account_of(rows: Sequence[Row[Any]]) -> Account | None:
    """Make one account of rows that begin with ACCOUNT_COLUMNS and a role, one row a role."""
    if not rows:
        return None
    width = len(ACCOUNT_COLUMNS)
    values = (*rows[0][:width], _roles(row[width] for row in rows))
    return Account(*values)


def find(user_id: str) -> Account | None:
    """Return the account with this id, or None."""
    return account_of(execute(_BY_ID, {"wanted": user_id}).all())


def find_by_email(email: str) -> Account | None:
    """Return the account with this normalized address, or None."""
    return account_of(execute(_BY_EMAIL, {"wanted": email}).all())


def emails_of(user_ids: Iterable[str]) -> dict[str, str]:
    """Return the addresses of accounts, by id, of those that there are."""
    query = select(UserRow.id, UserRow.email).where(UserRow.id.in_(user_ids))
    return {row.id: row.email for row in execute(query)}


def list_all() -> list[Account]:
    """Return every account, oldest first."""
    accounts: dict[str, list[Row[Any]]] = {}
    for row in execute(_ACCOUNTS.order_by(UserRow.created_at, UserRow.id)):
        accounts.setdefault(row[0], []).append(row)
    return [account for rows in accounts.values() if (account := account_of(rows))]


def add(account: Account) -> None:
    """Insert an account.

    :raises LostRace: when the address is taken; the transaction runs again and finds whose it is.
    """
    values = {column.key: getattr(account, column.key) for column in ACCOUNT_COLUMNS}
    values["name_key"] = search_key(account.name)
    try:
        execute(insert(UserRow).values(values))
    except IntegrityError as error:
        raise LostRace from error
    roles = [role for role in account.roles if role != EVERYBODYS_ROLE]
    if roles:
        execute(insert(UserRoleRow), [{"user_id": account.id, "role": role} for role in roles])


def start_over(email: str, name: str, password_hash: str, now: datetime) -> bool:
    """Give an account that nobody proved and nobody uses to whoever signs up with it now.

    But not one with roles: whoever it was made for, and confirms it, would be confirming the
    password of somebody else.

    :returns: whether there was one; decided and done in one statement, so that two sign-ups or
        a sign-up and a verification cannot both have it.
    """
    is_in_use = select(SessionRow.id).where(
        SessionRow.user_id == UserRow.id, SessionRow.ended_at.is_(None), SessionRow.expires_at > now
    )
    has_roles = select(UserRoleRow.role).where(UserRoleRow.user_id == UserRow.id)
    return changes_one(
        update(UserRow)
        .where(
            UserRow.email == email,
            UserRow.email_verified_at.is_(None),
            UserRow.disabled_at.is_(None),
            ~has_roles.exists(),
            ~is_in_use.exists(),
        )
        .values(name=name, name_key=search_key(name), password_hash=password_hash)
    )


def set_name(user_id: str, name: str) -> bool:
    """Rename somebody; False when there is no such account."""
    values = {"name": name, "name_key": search_key(name)}
    return changes_one(update(UserRow).where(UserRow.id == user_id).values(values))


def set_email_verified(user_id: str, now: datetime, is_signed_in: bool) -> bool:
    """Note that the address is proved; False when it was already, or there is no such account."""
    values = {"email_verified_at": now} | ({"last_sign_in_at": now} if is_signed_in else {})
    return changes_one(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.email_verified_at.is_(None))
        .values(values)
    )


def set_email(user_id: str, before: str, after: str, now: datetime) -> bool:
    """Move an account to an address that is proved; False when it has moved meanwhile.

    :raises LostRace: when the address is taken; the transaction runs again and finds by whom.
    """
    try:
        return changes_one(
            update(UserRow)
            .where(UserRow.id == user_id, UserRow.email == before, UserRow.disabled_at.is_(None))
            .values(email=after, email_verified_at=now)
        )
    except IntegrityError as error:
        raise LostRace from error


def set_password(user_id: str, password_hash: str, now: datetime) -> bool:
    """Give an account a password by a mailed link, which proves its address, too.

    Devices that were known are strangers from now on. False when there is no open account.
    """
    return changes_one(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.disabled_at.is_(None))
        .values(
            password_hash=password_hash,
            email_verified_at=func.coalesce(UserRow.email_verified_at, literal(now, UtcDateTime)),
            devices_since=now,
        )
    )


def change_password(user_id: str, before: str, after: str) -> bool:
    """Compare and swap a password hash; False when it has been changed meanwhile."""
    return changes_one(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.password_hash == before)
        .values(password_hash=after)
    )


def forget_devices(user_id: str, now: datetime) -> bool:
    """Make strangers of all devices that were known."""
    return changes_one(update(UserRow).where(UserRow.id == user_id).values(devices_since=now))


def set_disabled(user_id: str, disabled_at: datetime | None) -> bool:
    """Shut or reopen an account; False when it is so already, or there is none."""
    is_open = UserRow.disabled_at.is_(None)
    return changes_one(
        update(UserRow)
        .where(UserRow.id == user_id, is_open if disabled_at else ~is_open)
        .values(disabled_at=disabled_at)
    )


def note_sign_in(account: Account, kept_hash: str, now: datetime) -> bool:
    """Note a sign-in if the account is still open, with the password and the roles that were read.

    This holds the account's row until the commit, so that a session never begins behind the back
    of whoever shuts the account or changes its password or roles at the same moment.

    :param kept_hash: what to keep from now on: the verified hash, or a better one.
    """
    return changes_one(
        _NOTE_SIGN_IN,
        {
            "wanted": account.id,
            "hash_read": account.password_hash or "",
            "roles_read": account.roles_changed_at,
            "moment": now,
            "hash_kept": kept_hash,
        },
    )


def hold(user_id: str) -> bool:
    """Hold an account's row until the commit, so that nobody else changes it; False without one."""
    return changes_one(update(UserRow).where(UserRow.id == user_id).values(id=user_id))


def session_epoch_of(user_id: str) -> int:
    """Return the epoch that a person's sessions belong to when they begin now."""
    query = select(UserRow.session_epoch).where(UserRow.id == user_id)
    return scalar(query) or 0


def begin_session_epoch(user_id: str) -> None:
    """Leave a person's sessions so far behind, and hold the account's row until the commit."""
    execute(
        update(UserRow).where(UserRow.id == user_id).values(session_epoch=UserRow.session_epoch + 1)
    )


def remove_unproved(user_id: str) -> bool:
    """Delete an account whose address nobody has proved; False when it is proved or gone."""
    return changes_one(
        delete(UserRow).where(UserRow.id == user_id, UserRow.email_verified_at.is_(None))
    )


def _roles(found: Iterable[str | None]) -> tuple[str, ...]:
    return (EVERYBODYS_ROLE, *sorted(role for role in found if role))
