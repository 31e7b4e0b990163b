"""Showing the password again."""

from webapp.services import audit, reauthentication, sessions
from webapp.services.access import account_of
from webapp.services.client import Client
from webapp.services.sessions import Reauthenticated
from webapp.services.tokens import AccessClaims
from webapp.stores.transactions import transact


def reauthenticate(
    password: str, claims: AccessClaims, client: Client, field: str = "password"
) -> Reauthenticated:
    """Return an access token with a fresh `auth_time`; the session stays.

    :param field: where the door shows a complaint about the password.
    :raises ValidationFailed: with the code `wrong_password`.
    :raises TooManyAttempts: when it was guessed at too often.
    :raises TokenRevoked: when the session has ended.
    """
    account = account_of(claims)
    reauthentication.check_present_password(account, password, client, field)

    def work() -> Reauthenticated:
        result = sessions.reauthenticate(claims)
        audit.record(
            "reauthenticated", client, user_id=claims.user_id, session_id=claims.session_id
        )
        return result

    return transact(work)
