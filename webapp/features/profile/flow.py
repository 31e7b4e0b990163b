"""One's own account: seen and renamed."""

from webapp.errors import TokenRevoked
from webapp.services import audit, policy
from webapp.services.client import Client
from webapp.services.tokens import AccessClaims
from webapp.stores import sessions, users
from webapp.stores.sessions import Session
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account


def get_profile(claims: AccessClaims) -> Account:
    """Return the account of whoever is signed in.

    :raises TokenRevoked: when it was shut or removed within the last second.
    """
    account = read(lambda: users.find(claims.user_id))
    if account is None or account.is_disabled:
        raise TokenRevoked
    return account


def get_profile_and_session(claims: AccessClaims) -> tuple[Account, Session]:
    """Return the account of whoever is signed in, and the session that says so.

    :raises TokenRevoked: when either has ended within the last second.
    """
    found = read(lambda: sessions.find(claims.session_id))
    if found is None or found.session.ended_at or found.account.is_disabled:
        raise TokenRevoked
    return found.account, found.session


def rename(claims: AccessClaims, name: str, client: Client) -> Account:
    """Give somebody the name that they want to go by.

    :raises ValidationFailed: when it is too long or holds control characters.
    """
    name = policy.check_name(name)

    def work() -> None:
        users.set_name(claims.user_id, name)
        audit.record("renamed", client, user_id=claims.user_id, session_id=claims.session_id)

    transact(work)
    return get_profile(claims)
