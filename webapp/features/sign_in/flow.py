"""Signing in with an address and a password."""

from dataclasses import dataclass, replace

from webapp import clock
from webapp.errors import EmailNotVerified, InvalidCredentials, TooManyAttempts
from webapp.services import audit, devices, policy, sign_ins
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.parts import parts
from webapp.services.sessions import SignedIn
from webapp.services.sign_ins import Entry
from webapp.stores import users
from webapp.stores.transactions import transact
from webapp.stores.users import Account


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody shows, and whether the sign-in is to outlive the browser."""

    email: str
    password: str
    is_persistent: bool = True


@dataclass(frozen=True, slots=True)
class _Proof:
    """What has been shown before the session begins."""

    account: Account
    kept_hash: str
    is_device_known: bool


def sign_in(command: SignIn, client: Client, replaces: str | None = None) -> SignedIn:
    """Begin a session for whoever knows the password.

    An unknown address, a wrong password, a disabled account and an account without a password
    are answered alike, and cost one hash each.

    :param replaces: the session that this browser had before, if any.
    :raises ValidationFailed: when there is no address or no password to try.
    :raises TooManyAttempts: before anything is hashed.
    :raises InvalidCredentials: for all of the above.
    :raises EmailNotVerified: only after the right password.
    """
    email = _check(command)
    account = parts().users.by_address(email)
    device = devices.recognize(client, account)
    try:
        attempt = parts().throttle.begin_sign_in(client.ip, email, device)
    except TooManyAttempts:
        parts().metrics.count_sign_in("too_many_attempts")
        raise
    verification = parts().passwords.verify(
        command.password, account.password_hash if account else None
    )
    if account is None or not verification.is_right:
        _refuse(account, client, "wrong_password" if account else "unknown_address")
        raise InvalidCredentials
    try:
        policy.check_may_sign_in(account)
    except EmailNotVerified:
        parts().throttle.forgive(attempt)
        _refuse(account, client, "email_not_verified")
        raise
    except InvalidCredentials:
        _refuse(account, client, "disabled")
        raise
    kept_hash = account.password_hash or ""
    if verification.is_outdated:
        # Only now: a second hash for an account that is shut would tell that there is one.
        kept_hash = parts().passwords.hash(command.password)
    proof = _Proof(account, kept_hash, is_device_known=device is not None)
    signed_in = transact(lambda: _start(proof, command, client, replaces))
    parts().throttle.forgive(attempt)
    return replace(signed_in, device=devices.remember(account, device))


def _check(command: SignIn) -> str:
    email, _ = policy.check_all(
        lambda: normalize_email(command.email),
        lambda: policy.check_password_length(command.password),
    )
    return str(email)


def _start(proof: _Proof, command: SignIn, client: Client, replaces: str | None) -> SignedIn:
    account = _note(proof)
    entry = Entry("pwd", "password", command.is_persistent, proof.is_device_known, replaces)
    return sign_ins.complete(account, entry, client)


def _note(proof: _Proof) -> Account:
    """Note the sign-in, and return the account with the roles that it has at this moment."""
    read = proof.account
    if users.note_sign_in(read, proof.kept_hash, clock.now()):
        return read
    account = users.find(read.id)
    if account is None or account.password_hash != read.password_hash:
        # Given another password while this one was being hashed.
        raise InvalidCredentials
    if not users.note_sign_in(account, proof.kept_hash, clock.now()):
        # Disabled meanwhile.
        raise InvalidCredentials
    return account


def _refuse(account: Account | None, client: Client, reason: str) -> None:
    user_id = account.id if account else None
    transact(lambda: audit.record("sign_in_failed", client, user_id=user_id, detail=reason))
