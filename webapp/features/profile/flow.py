"""One's own account: seen, renamed and deleted."""

from datetime import datetime

from webapp import clock
from webapp.errors import TokenRevoked
from webapp.services import accounts, audit, policy, reauthentication
from webapp.services.access import account_of
from webapp.services.client import Client
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims
from webapp.stores import audit as audit_store
from webapp.stores import users
from webapp.stores.audit import AuditEvent
from webapp.stores.sessions import Session
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account

SHOWN_EVENTS = 50


def get_profile_and_session(claims: AccessClaims) -> tuple[Account, Session]:
    """Return the account of whoever is signed in, and the session that says so.

    :raises TokenRevoked: when either has ended within the last second.
    """
    found = read(lambda: parts().sessions.find(claims.session_id))
    if found is None or found.session.ended_at or found.account.is_disabled:
        parts().revocations.expect_change()  # As account_of() does, and why.
        raise TokenRevoked
    return found.account, found.session


def list_events(claims: AccessClaims) -> list[AuditEvent]:
    """Return what happened to one's own account lately, newest first."""
    return read(lambda: audit_store.latest_of(claims.user_id, SHOWN_EVENTS))


def delete(claims: AccessClaims, password: str | None, client: Client) -> datetime:
    """Have one's own account erased in 14 days, unless one signs in before; ends every session.

    :param password: the present one, where the door asks for it.
    :returns: when it will be erased.
    :raises ReauthenticationRequired: when the sign-in is older than ten minutes.
    :raises ValidationFailed: when the password is wrong.
    :raises LastAdmin: when nobody would be left who can look after accounts.
    """
    reauthentication.check_recent_sign_in(claims)
    account = account_of(claims)
    if password is not None:
        reauthentication.check_present_password(account, password, client)
    transact(lambda: _delete(claims, client))
    return clock.now() + policy.DELETED_KEPT_FOR


def _delete(claims: AccessClaims, client: Client) -> None:
    accounts.hold_admins()
    account = users.find(claims.user_id)
    if account and accounts.delete(account, client):
        audit.record("account_deleted", client, user_id=account.id, session_id=claims.session_id)


def rename(claims: AccessClaims, name: str, client: Client) -> Account:
    """Give somebody the name that they want to go by.

    :raises ValidationFailed: when it is too long or holds control characters.
    """
    name = policy.check_name(name)

    def work() -> None:
        users.set_name(claims.user_id, name)
        audit.record("renamed", client, user_id=claims.user_id, session_id=claims.session_id)

    transact(work)
    return account_of(claims)
