"""Changing the address: asked for, proved, told to the old one, and undone from there."""

from dataclasses import dataclass

from webapp import clock
from webapp.errors import FieldError, LinkInvalid, ValidationFailed
from webapp.services import audit, notices, one_time_tokens, reauthentication, sessions
from webapp.services.access import account_of
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.one_time_tokens import LIFETIMES, Purpose
from webapp.services.parts import parts
from webapp.services.secrets import digest
from webapp.services.tokens import AccessClaims
from webapp.stores import one_time_tokens as token_store
from webapp.stores import users
from webapp.stores.one_time_tokens import OneTimeToken
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account


@dataclass(frozen=True, slots=True)
class ChangeEmail:
    """The new address; the password where the door asks for it."""

    email: str
    password: str | None = None


def ask_for_change(command: ChangeEmail, claims: AccessClaims, client: Client) -> None:
    """Mail the new address a link; nothing changes before it is followed.

    The answer is the same when the new address has an account: its owner is told by mail.

    :raises ReauthenticationRequired: when the sign-in is older than ten minutes.
    :raises ValidationFailed: when the address cannot be used or the password is wrong.
    :raises TooManyAttempts: when the password was guessed at, or mail asked for, too often.
    """
    reauthentication.check_recent_sign_in(claims)
    email = normalize_email(command.email)
    account = account_of(claims)
    if command.password is not None:
        reauthentication.check_present_password(account, command.password, client)
    if email == account.email:
        message = "This is your address already. Enter the one that you want to change to."
        raise ValidationFailed(FieldError("email", "same_email", message))
    parts().throttle.count_mail(client.ip, email)
    transact(lambda: _ask(account, email, claims, client))


def pending_address(claims: AccessClaims) -> str | None:
    """Return the address that somebody asked for and has not proved yet, or None."""
    waiting = read(lambda: token_store.waiting_of(claims.user_id, clock.now()))
    return next((token.email for token in waiting if token.purpose == Purpose.CHANGE_EMAIL), None)


def complete(found: OneTimeToken, client: Client) -> None:
    """Move the account to the address that is proved now; part of a transaction.

    :raises LinkInvalid: when the address has another owner by now.
    """
    account = users.find(found.user_id)
    if account is None or account.is_disabled or found.email is None:
        raise LinkInvalid
    _move(account, found.email)
    # Access tokens say the address, and services behind a proxy take it from there.
    sessions.note_change_of(account.id)
    one_time_tokens.void(account.id, Purpose.VERIFY_EMAIL, Purpose.RESET_PASSWORD, Purpose.NOT_ME)
    undo_token = one_time_tokens.issue(
        Purpose.UNDO_EMAIL_CHANGE, account.id, subject=digest(account.email), email=account.email
    )
    audit.record("email_changed", client, user_id=account.id)
    notices.email_changed(account, found.email, undo_token, client)


def look_at_undo(token: str) -> str:
    """Return the address that a link would bring back; uses nothing up.

    :raises LinkInvalid: when it does not work (any more).
    """
    return read(lambda: one_time_tokens.peek(token, Purpose.UNDO_EMAIL_CHANGE)).email or ""


def undo(token: str, client: Client) -> str:
    """Bring the old address back, end every session, and begin a reset of the password.

    :returns: the token of the reset, for whoever has just shown that they read that address.
    :raises LinkInvalid: when it does not work (any more).
    """
    return transact(lambda: _undo(token, client))


def _ask(account: Account, email: str, claims: AccessClaims, client: Client) -> None:
    audit.record("email_change_requested", client, user_id=account.id, session_id=claims.session_id)
    notices.email_change_requested(account, email, client)
    # For a taken address, too, where nobody gets it: it ends the earlier link and shows as waiting
    # just like any other.
    token = one_time_tokens.issue(Purpose.CHANGE_EMAIL, account.id, email=email)
    holder = users.find_by_email(email)
    if holder and holder.email_verified:
        notices.email_change_taken(holder, client)
        return
    mailer = parts().mailer
    mailer.send(
        "email_change",
        account,
        to=email,
        link=mailer.link(f"/verify-email?token={token}"),
        old_email=account.email,
        new_email=email,
        requested_from=str(client),
        expires_hours=int(LIFETIMES[Purpose.CHANGE_EMAIL].total_seconds() // 3600),
    )


def _move(account: Account, email: str) -> None:
    """Give an account an address that its owner has proved; an unproved holder gives way."""
    holder = users.find_by_email(email)
    if holder and holder.id != account.id:
        if not users.remove_unproved(holder.id):
            raise LinkInvalid
        sessions.end_all_of(holder.id, "account_removed")
    if not users.set_email(account.id, account.email, email, clock.now()):
        raise LinkInvalid


def _undo(token: str, client: Client) -> str:
    found = one_time_tokens.use(token, Purpose.UNDO_EMAIL_CHANGE)
    account = users.find(found.user_id)
    if account is None or account.is_disabled or found.email is None:
        raise LinkInvalid
    _move(account, found.email)
    users.forget_devices(account.id, clock.now())
    sessions.end_all_of(account.id, "email_change_undone")
    # A notice of a sign-in went to the mailbox that is left now: its link leads to a password.
    one_time_tokens.void(account.id, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL, Purpose.NOT_ME)
    # Whatever came after the change that is undone falls with it; what came before it stands.
    token_store.void(account.id, [Purpose.UNDO_EMAIL_CHANGE], since=found.created_at)
    audit.record("email_change_undone", client, user_id=account.id)
    for email in (account.email, found.email):
        notices.email_change_undone(account, email, client)
    return one_time_tokens.issue(Purpose.RESET_PASSWORD, account.id)
