"""Signing up: an account is made, and its address is to be proved."""

from dataclasses import dataclass, replace

from webapp import clock
from webapp.errors import EmailTaken
from webapp.services import audit, devices, notices, policy, sessions, verification
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.parts import parts
from webapp.services.secrets import new_secret
from webapp.services.sessions import SignedIn
from webapp.stores import identities, users
from webapp.stores.transactions import transact
from webapp.stores.users import Account


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody asks for."""

    email: str
    password: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class VerificationRequired:
    """A mail is on its way; the secret marks the browser that signed up."""

    email: str
    browser_secret: str


def sign_up(
    command: SignUp, client: Client, replaces: str | None = None
) -> VerificationRequired | SignedIn:
    """Make an account, or answer as if one were made where the address has one already.

    :param replaces: the session that this browser had before, if any.
    :raises ValidationFailed: for each field that cannot be used.
    :raises TooManyAttempts: when there were too many from this network address.
    :raises EmailTaken: where EMAIL_VERIFICATION lets it be told.
    """
    command = _check(command)
    throttle = parts().throttle
    throttle.count_sign_up(client.ip)
    password_hash = parts().passwords.hash(command.password)
    now = clock.now()
    is_open = parts().settings.email_verification != "required"
    account = Account(
        id=new_id(),
        email=command.email,
        email_verified_at=None,
        name=command.name,
        password_hash=password_hash,
        created_at=now,
        devices_since=now,
        last_sign_in_at=now if is_open else None,
    )
    if not is_open:
        throttle.count_mail(client.ip, command.email)
        browser_secret = new_secret()
        transact(lambda: _sign_up_quietly(account, client, browser_secret))
        return VerificationRequired(command.email, browser_secret)
    return transact(lambda: _sign_up_openly(account, client, replaces))


def _check(command: SignUp) -> SignUp:
    """Return the command in its one spelling, or say all that is wrong with it at once."""
    email, name, _ = policy.check_all(
        lambda: normalize_email(command.email),
        lambda: policy.check_name(command.name),
        lambda: policy.check_new_password(command.password, command.email.strip().lower()),
    )
    return SignUp(email, command.password, name)


def _sign_up_quietly(account: Account, client: Client, browser_secret: str) -> None:
    """Make the account, or tell the owner of the one that exists; nobody else learns which."""
    existing = users.find_by_email(account.email)
    if existing is None:
        users.add(account)
        audit.record("signed_up", client, user_id=account.id)
        verification.send_link(account, client, browser_secret)
        return
    if existing.deleted_at:
        audit.record("sign_up_with_taken_address", client, user_id=existing.id)
        notices.account_waiting(existing, existing.deleted_at + policy.DELETED_KEPT_FOR, client)
        return
    # An account that nobody proved and nobody uses belongs to whoever can read its mail: else
    # somebody could take an address first and wait for its owner to confirm it.
    if _start_over(existing, account):
        audit.record("signed_up_again", client, user_id=existing.id)
        verification.send_link(existing, client, browser_secret)
        return
    audit.record("sign_up_with_taken_address", client, user_id=existing.id)
    mailer = parts().mailer
    mailer.send(
        "sign_up_taken",
        existing,
        sign_in_link=mailer.link("/login"),
        reset_link=mailer.link("/forgot-password"),
    )


def _start_over(existing: Account, account: Account) -> bool:
    if not existing.email_verified and parts().sessions.list_of(existing.id, clock.now()):
        return False
    password_hash = account.password_hash or ""
    if not users.start_over(account.email, account.name, password_hash, clock.now()):
        return False
    # Whoever signed in since we looked did so before this changed hands.
    sessions.end_all_of(existing.id, "account_removed")
    identities.remove_all_of(existing.id)
    return True


def _sign_up_openly(account: Account, client: Client, replaces: str | None) -> SignedIn:
    if users.find_by_email(account.email):
        raise EmailTaken
    users.add(account)
    audit.record("signed_up", client, user_id=account.id)
    if parts().settings.email_verification == "optional":
        verification.send_link(account, client, None)
    signed_in = sessions.start(account, client, amr="pwd", is_persistent=True, replaces=replaces)
    return replace(signed_in, device=devices.remember(account, None))
