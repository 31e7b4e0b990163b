"""Carrying a session on with its refresh token."""

from webapp.services import sessions, tokens
from webapp.services.client import Client
from webapp.services.sessions import RenewedAccess, SignedIn


def session_of(encoded: str) -> str:
    """Return the session of a refresh token, for the door to check a CSRF token against.

    :raises TokenExpired: when the token's time is over.
    :raises TokenInvalid: when it is no refresh token of ours.
    """
    return tokens.read_refresh(encoded).session_id


def refresh(encoded: str, client: Client) -> SignedIn:
    """Exchange a refresh token for a new pair, by the refresh rule.

    :raises TokenInvalid: when it is no refresh token of ours.
    :raises TokenExpired: when its time is over.
    :raises TokenRevoked: when its session has ended.
    :raises RefreshReused: when it was used up, and its family is revoked by now.
    :raises TemporarilyUnavailable: when the store is down; the same token is good for a retry.
    """
    return sessions.refresh(tokens.read_refresh(encoded), client)


def renew_access(encoded: str, client: Client) -> RenewedAccess:
    """Give a new access token for a refresh token, which stays as it is.

    :raises AuthError: as :func:`refresh` does, and for the same reasons.
    """
    return sessions.renew_access(tokens.read_refresh(encoded), client)
