"""Signing out."""

from webapp.errors import TokenExpired, TokenInvalid
from webapp.services import audit, sessions, tokens
from webapp.services.client import Client
from webapp.stores.transactions import transact


def sign_out(session_id: str, client: Client) -> None:
    """End a session; nothing happens when it had ended already."""
    transact(lambda: _end(session_id, client))


def sign_out_by_refresh_token(encoded: str, client: Client) -> bool:
    """End the session of a refresh token; False when it had ended already.

    :raises TokenExpired: when the token's time is over.
    :raises TokenInvalid: when it is no refresh token of ours.
    """
    session_id = tokens.read_refresh(encoded).session_id
    return transact(lambda: _end(session_id, client))


def session_of(encoded: str) -> str | None:
    """Return the session that a token belongs to, for whoever signs out with it.

    An access token, expired or not, or a refresh token; None for anything else, since whoever
    has no session is signed out already.
    """
    try:
        return tokens.read_access(encoded, allow_expired=True).session_id
    except TokenInvalid:
        pass
    try:
        return tokens.read_refresh(encoded).session_id
    except (TokenInvalid, TokenExpired):
        return None


def _end(session_id: str, client: Client) -> bool:
    if not sessions.end(session_id, "signed_out"):
        return False
    audit.record("signed_out", client, session_id=session_id)
    return True
