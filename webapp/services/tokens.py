"""Access and refresh tokens: JWTs made and read through Flask-JWT-Extended.

What a token may be is settled here once: the algorithm is ours and pinned, the key is looked up
by `kid` among our own, and a token without `type`, `exp`, `sid` or `sub` is none (RFC 8725).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTDecodeError, JWTExtendedException
from jwt import ExpiredSignatureError, PyJWTError

from webapp.errors import TokenExpired, TokenInvalid
from webapp.extensions import jwt
from webapp.services.parts import parts
from webapp.stores.sessions import Session
from webapp.stores.users import Account

_REQUIRED = {"iss", "aud", "sub", "sid", "iat", "exp", "jti", "type"}


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says; `issued_at` and `auth_time` in seconds since 1970."""

    user_id: str
    session_id: str
    issued_at: int
    auth_time: int
    amr: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says."""

    user_id: str
    session_id: str
    generation: int


def issue_access(account: Account, session: Session, now: datetime) -> tuple[str, timedelta]:
    """Return an access token and how long it lasts, never longer than its session.

    :param now: when it is issued, aware.
    """
    lifetime = min(parts().settings.access_token_expires, session.expires_at - now)
    claims = {
        "sid": session.id,
        "auth_time": int(session.authenticated_at.timestamp()),
        "amr": session.amr.split(),
        "roles": list(account.roles),
    }
    token: str = create_access_token(account.id, expires_delta=lifetime, additional_claims=claims)
    return token, lifetime


def issue_refresh(session: Session, now: datetime) -> str:
    """Return the refresh token of a session's current generation, good until the session ends."""
    claims = {"sid": session.id, "gen": session.generation}
    lifetime = session.expires_at - now
    token: str = create_refresh_token(
        session.user_id, expires_delta=lifetime, additional_claims=claims
    )
    return token


def read_access(encoded: str, allow_expired: bool = False) -> AccessClaims:
    """Read an access token; whether its session still goes on is not asked here.

    :raises TokenExpired: when its time is over, unless that is allowed.
    :raises TokenInvalid: for whatever else is not an access token of ours.
    """
    claims = _read(encoded, "access", allow_expired)
    try:
        return AccessClaims(
            user_id=_text(claims["sub"]),
            session_id=_text(claims["sid"]),
            issued_at=int(claims["iat"]),
            auth_time=int(claims["auth_time"]),
            amr=tuple(claims["amr"]),
            roles=tuple(claims["roles"]),
        )
    except (KeyError, TypeError, ValueError):
        raise TokenInvalid from None


def read_refresh(encoded: str) -> RefreshClaims:
    """Read a refresh token; what presenting it does is for the refresh rule to say.

    :raises TokenExpired: when its time is over.
    :raises TokenInvalid: for whatever else is not a refresh token of ours.
    """
    claims = _read(encoded, "refresh", False)
    generation = claims.get("gen")
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 1:
        raise TokenInvalid
    return RefreshClaims(_text(claims["sub"]), _text(claims["sid"]), generation)


def _read(encoded: str, kind: str, allow_expired: bool) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = decode_token(encoded, allow_expired=allow_expired)
    except ExpiredSignatureError as error:
        # Flask-JWT-Extended hands the verified claims over, so that an expired refresh token is
        # not taken for an expired access token.
        if getattr(error, "jwt_data", {}).get("type") != kind:
            raise TokenInvalid from None
        raise TokenExpired from None
    except (PyJWTError, JWTExtendedException, ValueError, TypeError, RecursionError):
        raise TokenInvalid from None
    if claims["type"] != kind:
        raise TokenInvalid
    return claims


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TokenInvalid
    return value


@jwt.encode_key_loader
def _signing_key(_identity: object) -> Any:
    return parts().keys.signing.signs


@jwt.additional_headers_loader
def _headers(_identity: object) -> dict[str, str]:
    return {"kid": parts().keys.signing.kid}


@jwt.decode_key_loader
def _verifying_key(header: Mapping[str, Any], claims: Mapping[str, Any]) -> Any:
    # Flask-JWT-Extended would fill in a missing `type`, and PyJWT does not ask for the others.
    if not claims.keys() >= _REQUIRED:
        raise JWTDecodeError("a claim is missing")
    if "crit" in header:
        raise JWTDecodeError("we know no critical extensions (RFC 7515, section 4.1.11)")
    key = parts().keys.find(header.get("kid"))
    if key is None:
        raise JWTDecodeError("no key of ours")
    return key.verifies
