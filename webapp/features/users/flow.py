"""Looking after accounts: made, changed, shut, deleted and helped back in, never with a password.

`actor_id` is the administrator who does it, None at the shell; the audit trail keeps who did what
to whom.
"""

import re
from dataclasses import dataclass

from webapp import clock
from webapp.errors import AccountShut, EmailTaken, FieldError, NotFound, ValidationFailed
from webapp.services import accounts, audit, password_links, policy, sessions, verification
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.parts import parts
from webapp.stores import roles as role_store
from webapp.stores import users
from webapp.stores.transactions import read, transact
from webapp.stores.users import EVERYBODYS_ROLE, Account


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account that somebody makes for somebody else; without a password, a link goes out."""

    email: str
    password: str | None = None
    roles: tuple[str, ...] = ()
    is_verified: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be another way; None leaves it as it is."""

    name: str | None = None
    roles: tuple[str, ...] | None = None
    is_disabled: bool | None = None


def create_user(command: NewUser, client: Client, actor_id: str | None = None) -> Account:
    """Make an account, and mail the link that it needs: to its first password, or to prove it.

    :raises ValidationFailed: when a field cannot be used.
    :raises EmailTaken: when the address has an account.
    """
    email = normalize_email(command.email)
    password = command.password
    if password is not None:
        policy.check_new_password(password, email)
    now = clock.now()
    account = Account(
        id=new_id(),
        email=email,
        email_verified_at=now if command.is_verified else None,
        name=policy.check_name(command.name),
        password_hash=None if password is None else parts().passwords.hash(password),
        created_at=now,
        devices_since=now,
        roles=_whole(command.roles),
    )
    transact(lambda: _create(account, client, actor_id))
    return account


def list_users() -> list[Account]:
    """Return every account, oldest first."""
    return read(users.list_all)


def find_user(email: str) -> Account:
    """Return the account with an address, however spelt.

    :raises NotFound: when there is none.
    """
    account = read(lambda: users.find_by_email(normalize_email(email)))
    if account is None:
        raise NotFound
    return account


def change_user(
    user_id: str, change: Change, client: Client, actor_id: str | None = None
) -> Account:
    """Rename somebody, give them other roles, shut or reopen their account; all of it or nothing.

    Other roles have their clients refresh, and a shut account is signed out, within a second.

    :raises ValidationFailed: when the name cannot be used, or there is no such role.
    :raises NotFound: when there is no such account.
    :raises LastAdmin: when nobody would be left who can look after accounts.
    """
    name = None if change.name is None else policy.check_name(change.name)

    def work() -> Account:
        accounts.hold_admins()
        before = _find(user_id)
        if name is not None and name != before.name:
            users.set_name(user_id, name)
            audit.record("renamed", client, user_id=user_id, actor_id=actor_id)
        if change.roles is not None:
            _set_roles(before, change.roles, client, actor_id)
        if change.is_disabled is not None:
            _set_disabled(before, change.is_disabled, client, actor_id)
        return _find(user_id)

    return transact(work)


def disable_user(email: str, client: Client) -> Account:
    """Shut an account and end its sessions, everywhere within a second.

    :raises NotFound: when there is no such account.
    :raises LastAdmin: when nobody would be left who can look after accounts.
    """
    return change_user(find_user(email).id, Change(is_disabled=True), client)


def enable_user(email: str, client: Client) -> Account:
    """Reopen an account.

    :raises NotFound: when there is no such account.
    """
    return change_user(find_user(email).id, Change(is_disabled=False), client)


def delete_user(user_id: str, client: Client, actor_id: str | None) -> None:
    """Delete an account as its owner would: erased in 14 days, unless the owner signs in before.

    To keep the owner out, too, disable it first.

    :raises NotFound: when there is no such account.
    :raises LastAdmin: when nobody would be left who can look after accounts.
    """

    def work() -> None:
        accounts.hold_admins()
        if accounts.delete(_find(user_id), client):
            audit.record("user_deleted", client, user_id=user_id, actor_id=actor_id)

    transact(work)


def start_reset(user_id: str, client: Client, actor_id: str | None) -> None:
    """Mail somebody the link that sets a new password; the one that they have works until then.

    :raises NotFound: when there is no such account.
    :raises AccountShut: when the link would not work.
    """

    def work() -> None:
        account = _find(user_id)
        if account.is_disabled or account.is_deleted:
            raise AccountShut
        password_links.send_reset_link(account, client)
        audit.record("user_reset_started", client, user_id=user_id, actor_id=actor_id)

    transact(work)


def create_role(name: str, client: Client) -> bool:
    """Add a role that can be given; False when it is there already.

    :raises ValidationFailed: when that is no name for one.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
        message = "A role is 1 to 40 small letters, digits, - and _, and begins with a letter."
        raise ValidationFailed(FieldError("name", "invalid_role", message))

    def work() -> bool:
        if name in role_store.names():
            return False
        role_store.add(name)
        audit.record("role_created", client, detail=name)
        return True

    return transact(work)


def _create(account: Account, client: Client, actor_id: str | None) -> None:
    if users.find_by_email(account.email):
        raise EmailTaken
    _check_roles(account.roles)
    users.add(account)
    audit.record("user_created", client, user_id=account.id, actor_id=actor_id)
    if account.password_hash is None:
        password_links.send_first_link(account)
    elif not account.email_verified and parts().settings.email_verification != "off":
        verification.send_link(account, client, None)


def _set_roles(
    before: Account, wanted: tuple[str, ...], client: Client, actor_id: str | None
) -> None:
    roles = _whole(wanted)
    if set(roles) == set(before.roles):
        return
    _check_roles(roles)
    role_store.replace_of(before.id, roles, clock.now())
    accounts.check_admin_left(before)
    sessions.note_change_of(before.id)
    detail = f"{', '.join(before.roles)} → {', '.join(roles)}"[:200]
    audit.record("roles_changed", client, user_id=before.id, actor_id=actor_id, detail=detail)


def _set_disabled(before: Account, is_disabled: bool, client: Client, actor_id: str | None) -> None:
    if not users.set_disabled(before.id, clock.now() if is_disabled else None):
        return
    if is_disabled:
        accounts.check_admin_left(before)
        sessions.end_all_of(before.id, "account_disabled")
        audit.record("user_disabled", client, user_id=before.id, actor_id=actor_id)
    else:
        audit.record("user_enabled", client, user_id=before.id, actor_id=actor_id)


def _check_roles(roles: tuple[str, ...]) -> None:
    known = role_store.names()
    if unknown := [role for role in roles if role not in known]:
        message = f"There is no role “{unknown[0][:40]}”. There are: {', '.join(known)}."
        raise ValidationFailed(FieldError("roles", "unknown_role", message))


def _whole(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return roles in the order that they are shown in; everybody is a user."""
    return (EVERYBODYS_ROLE, *sorted(set(roles) - {EVERYBODYS_ROLE}))


def _find(user_id: str) -> Account:
    account = users.find(user_id)
    if account is None:
        raise NotFound
    return account
