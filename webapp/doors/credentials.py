"""What a request shows to prove who sends it."""

from dataclasses import dataclass
from typing import cast

from flask import g

from webapp.doors import cookies, csrf
from webapp.doors.sources import bearer_token, shown_token
from webapp.errors import NotSignedIn, TokenInvalid
from webapp.services import tokens
from webapp.services.access import authenticate
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims

__all__ = [
    "Principal",
    "bearer_token",
    "cookie_session_id",
    "current_principal",
    "require_principal",
]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in, and whether a cookie says so, which any site can have a browser send."""

    claims: AccessClaims
    is_by_cookie: bool


def require_principal() -> Principal:
    """Return who is signed in; a bearer header counts before cookies.

    A changing request that relies on cookies needs the CSRF token, too.

    :raises AuthError: NotSignedIn, TokenInvalid, TokenExpired, TokenRevoked or CsrfFailed.
    """
    shown = shown_token(parts().token_sources)
    principal = Principal(authenticate(shown.encoded), is_by_cookie=shown.is_sent_unasked)
    if principal.is_by_cookie:
        csrf.check_session(principal.claims.session_id)
    g.principal = principal
    return principal


def principal_if_any() -> Principal | None:
    """Return who is signed in, where everybody may come; None without any credentials.

    :raises AuthError: TokenInvalid, TokenExpired or TokenRevoked, as whoever shows a token that
        is no good should learn it.
    """
    try:
        return require_principal()
    except NotSignedIn:
        return None


def current_principal() -> Principal:
    """Return who is signed in, behind a guard."""
    return cast(Principal, g.principal)


def cookie_session_id() -> str | None:
    """Return the session that the access cookie is of, expired or ended or not; None without."""
    encoded = cookies.access_cookie()
    if not encoded:
        return None
    try:
        return tokens.read_access(encoded, allow_expired=True).session_id
    except TokenInvalid:
        return None
