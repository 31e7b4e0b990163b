"""Who somebody is, by the access token they show: no store is asked on the way."""

from webapp.errors import NotSignedIn
from webapp.services import tokens
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims


def authenticate(encoded: str | None) -> AccessClaims:
    """Read an access token and make sure that its session still goes on.

    :raises NotSignedIn: without a token.
    :raises TokenInvalid: when it is no access token of ours.
    :raises TokenExpired: when it has expired, or its session changed since.
    :raises TokenRevoked: when its session has ended.
    """
    if not encoded:
        raise NotSignedIn
    claims = tokens.read_access(encoded)
    parts().revocations.check(claims.session_id, claims.issued_at)
    return claims
