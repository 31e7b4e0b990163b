"""What a request shows to prove who sends it."""

from dataclasses import dataclass
from typing import cast

from flask import g, request

from webapp.doors import cookies, csrf
from webapp.errors import TokenInvalid
from webapp.services import tokens
from webapp.services.access import authenticate
from webapp.services.tokens import AccessClaims


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in, and whether a cookie says so, which any site can have a browser send."""

    claims: AccessClaims
    is_by_cookie: bool


def bearer_token() -> str | None:
    """Return the token of an `Authorization: Bearer` header (RFC 6750), if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def require_principal() -> Principal:
    """Return who is signed in; a bearer header counts before cookies.

    A changing request that relies on cookies needs the CSRF token, too.

    :raises AuthError: NotSignedIn, TokenInvalid, TokenExpired, TokenRevoked or CsrfFailed.
    """
    bearer = bearer_token()
    claims = authenticate(bearer if bearer is not None else cookies.access_cookie())
    principal = Principal(claims, is_by_cookie=bearer is None)
    if principal.is_by_cookie:
        csrf.check_session(claims.session_id)
    g.principal = principal
    return principal


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
