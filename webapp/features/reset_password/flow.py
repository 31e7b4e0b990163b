"""Getting back in: a link by mail, and a new password by the link."""

from webapp import clock
from webapp.errors import LinkInvalid
from webapp.services import audit, notices, one_time_tokens, password_links, policy, sessions
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.one_time_tokens import Purpose
from webapp.services.parts import parts
from webapp.stores import identities, users
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account


def ask_for_link(email: str, client: Client) -> None:
    """Mail a link, if there is an open account; nobody learns whether.

    An account without a password gets one, too: this is how it sets its first.

    :raises ValidationFailed: when that is no address.
    :raises TooManyAttempts: when there were too many mails to it, or from here.
    """
    email = normalize_email(email)
    parts().throttle.count_mail(client.ip, email)
    transact(lambda: _send_link(email, client))


def look_at_link(token: str) -> str:
    """Return the address of the account that a link is for; uses nothing up.

    :raises LinkInvalid: when it does not work (any more).
    """
    return read(lambda: _account_of(token)).email


def reset(token: str, password: str, client: Client) -> None:
    """Give the account a new password, and end every session that it has.

    Whoever has the link reads the account's mail, so the address is proved by it, too. A password
    that is refused does not use the link up.

    :raises LinkInvalid: when it does not work (any more).
    :raises ValidationFailed: when the password cannot be used.
    """
    account = read(lambda: _account_of(token))
    policy.check_new_password(password, account.email)
    password_hash = parts().passwords.hash(password)
    transact(lambda: _reset(token, password_hash, client))


def _send_link(email: str, client: Client) -> None:
    account = parts().users.by_address(email)
    audit.record("password_reset_requested", client, user_id=account.id if account else None)
    if account is None or account.is_disabled:
        return
    password_links.send_reset_link(account, client)


def _account_of(token: str) -> Account:
    found = one_time_tokens.peek(token, Purpose.RESET_PASSWORD)
    account = users.find(found.user_id)
    if account is None or account.is_disabled:
        raise LinkInvalid
    return account


def _reset(token: str, password_hash: str, client: Client) -> None:
    found = one_time_tokens.use(token, Purpose.RESET_PASSWORD)
    before = users.find(found.user_id)
    if before is None or not users.set_password(found.user_id, password_hash, clock.now()):
        raise LinkInvalid
    if not before.email_verified:
        # Whoever made the account before its owner came may have linked a way in of their own.
        identities.remove_all_of(found.user_id)
    sessions.end_all_of(found.user_id, "password_reset")
    # The undo links stay: they are what the owner has against somebody who moved the account.
    one_time_tokens.void(found.user_id, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
    audit.record("password_reset", client, user_id=found.user_id)
    notices.password_changed(before, client)
