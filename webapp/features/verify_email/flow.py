"""Proving an address with the link that was mailed to it."""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from webapp import clock
from webapp.errors import LinkInvalid
from webapp.features.change_email import flow as change_email
from webapp.services import audit, devices, one_time_tokens, sessions, verification
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.one_time_tokens import Purpose
from webapp.services.parts import parts
from webapp.services.secrets import digest
from webapp.services.sessions import SignedIn
from webapp.stores import users
from webapp.stores.one_time_tokens import OneTimeToken
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link is about, shown before anything is done; `old_email` where one moves."""

    email: str
    name: str
    requested_at: datetime
    old_email: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a link did: a session where it signed in, and whether the account has moved."""

    signed_in: SignedIn | None
    is_change: bool = False


def look_at_link(token: str) -> Claim:
    """Say what a link would prove; uses nothing up, since mail scanners open links, too.

    :raises LinkInvalid: when it does not work (any more).
    """

    def look() -> Claim:
        found = one_time_tokens.peek(token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        account = _account_of(found)
        if found.email:
            return Claim(found.email, account.name, found.created_at, account.email)
        return Claim(account.email, account.name, found.created_at)

    return read(look)


def confirm(
    token: str, client: Client, browser_secret: str | None = None, replaces: str | None = None
) -> Confirmed:
    """Prove the address; in the browser that signed up, sign in, too.

    :param browser_secret: what this browser was marked with when it signed up, if it was.
    :returns: a session for that browser, none for any other, where anybody could hold the link.
    :raises LinkInvalid: when the link does not work (any more).
    """
    return transact(lambda: _confirm(token, client, browser_secret, replaces))


def disown(token: str, client: Client) -> None:
    """Remove the account that somebody made with another person's address.

    :raises LinkInvalid: when the link does not work (any more), or the address is proved.
    """
    transact(lambda: _disown(token, client))


def resend(email: str, client: Client, browser_secret: str | None = None) -> None:
    """Mail a new link, if there is an account that waits for one; nobody learns whether.

    :raises ValidationFailed: when that is no address.
    :raises TooManyAttempts: when there were too many mails to it, or from here.
    """
    email = normalize_email(email)
    parts().throttle.count_mail(client.ip, email)
    transact(lambda: _resend(email, client, browser_secret))


def _confirm(
    token: str, client: Client, browser_secret: str | None, replaces: str | None
) -> Confirmed:
    found = one_time_tokens.use(token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
    if found.purpose == Purpose.CHANGE_EMAIL:
        change_email.complete(found, client)
        return Confirmed(None, is_change=True)
    account = _account_of(found)
    is_same = _is_same_browser(found, browser_secret)
    if not users.set_email_verified(account.id, clock.now(), is_signed_in=is_same):
        raise LinkInvalid
    audit.record("email_verified", client, user_id=account.id)
    if not is_same:
        return Confirmed(None)
    account = _account_of(found)
    signed_in = sessions.start(account, client, amr="pwd", is_persistent=True, replaces=replaces)
    audit.record(
        "signed_in", client, user_id=account.id, session_id=signed_in.session.id, detail="sign_up"
    )
    return Confirmed(replace(signed_in, device=devices.remember(account, None)))


def _disown(token: str, client: Client) -> None:
    found = one_time_tokens.use(token, Purpose.VERIFY_EMAIL)
    if not users.remove_unproved(found.user_id):
        raise LinkInvalid
    sessions.end_all_of(found.user_id, "account_removed")
    audit.record("account_disowned", client, user_id=found.user_id)


def _resend(email: str, client: Client, browser_secret: str | None) -> None:
    account = parts().users.by_address(email)
    is_waiting = account is not None and not account.email_verified and not account.is_disabled
    audit.record("verification_requested", client, user_id=account.id if account else None)
    if account and is_waiting:
        verification.send_link(account, client, browser_secret)


def _account_of(found: OneTimeToken) -> Account:
    account = users.find(found.user_id)
    if account is None or account.is_disabled:
        raise LinkInvalid
    return account


def _is_same_browser(found: OneTimeToken, browser_secret: str | None) -> bool:
    if not found.browser_digest or not browser_secret:
        return False
    return hmac.compare_digest(found.browser_digest, digest(browser_secret))
