"""Looking after accounts."""

from dataclasses import dataclass

from webapp import clock
from webapp.errors import EmailTaken, FieldError, NotFound, ValidationFailed
from webapp.services import audit, policy, sessions, verification
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.parts import parts
from webapp.stores import users
from webapp.stores.transactions import read, transact
from webapp.stores.users import EVERYBODYS_ROLE, Account


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account that somebody makes for somebody else."""

    email: str
    password: str
    role: str = EVERYBODYS_ROLE
    is_verified: bool = False


def create_user(command: NewUser, client: Client) -> Account:
    """Make an account; unless its address is taken as proved, mail the link that proves it.

    :raises ValidationFailed: when a field cannot be used.
    :raises EmailTaken: when the address has an account.
    """
    email = normalize_email(command.email)
    policy.check_new_password(command.password, email)
    now = clock.now()
    account = Account(
        id=new_id(),
        email=email,
        email_verified_at=now if command.is_verified else None,
        name="",
        password_hash=parts().passwords.hash(command.password),
        created_at=now,
        devices_since=now,
        roles=tuple(dict.fromkeys((EVERYBODYS_ROLE, command.role))),
    )
    transact(lambda: _create(account, client))
    return account


def list_users() -> list[Account]:
    """Return every account, oldest first."""
    return read(users.list_all)


def disable_user(email: str, client: Client) -> Account:
    """Shut an account and end its sessions, everywhere within a second.

    :raises NotFound: when there is no such account.
    """
    return transact(lambda: _disable(_find(email), client))


def enable_user(email: str, client: Client) -> Account:
    """Reopen an account.

    :raises NotFound: when there is no such account.
    """
    return transact(lambda: _enable(_find(email), client))


def _create(account: Account, client: Client) -> None:
    if users.find_by_email(account.email):
        raise EmailTaken
    if unknown := set(account.roles) - set(users.role_names()):
        message = f"There is no role “{unknown.pop()}”. There are: {', '.join(users.role_names())}."
        raise ValidationFailed(FieldError("role", "unknown_role", message))
    users.add(account)
    audit.record("user_created", client, user_id=account.id)
    if not account.email_verified and parts().settings.email_verification != "off":
        verification.send_link(account, client, None)


def _disable(account: Account, client: Client) -> Account:
    if users.set_disabled(account.id, clock.now()):
        sessions.end_all_of(account.id, "account_disabled")
        audit.record("user_disabled", client, user_id=account.id)
    return account


def _enable(account: Account, client: Client) -> Account:
    if users.set_disabled(account.id, None):
        audit.record("user_enabled", client, user_id=account.id)
    return account


def _find(email: str) -> Account:
    account = users.find_by_email(normalize_email(email))
    if account is None:
        raise NotFound
    return account
