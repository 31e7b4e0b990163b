"""Access and refresh tokens: JWTs made and read through Flask-JWT-Extended.

What a token may be is settled here once: the algorithm is ours and pinned, the key is looked up
by `kid` among our own, and a token without `type`, `exp`, `sid` or `sub` is none (RFC 8725).
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTDecodeError, JWTExtendedException
from jwt import ExpiredSignatureError, PyJWTError
from jwt.utils import base64url_decode

from webapp.errors import TokenExpired, TokenInvalid
from webapp.extensions import jwt
from webapp.services.claims import AccessClaims, RefreshClaims
from webapp.services.parts import parts
from webapp.services.signing_keys import SigningKey
from webapp.services.verified_tokens import Verified, VerifiedTokens
from webapp.stores.sessions import Session
from webapp.stores.users import Account

__all__ = [
    "AccessClaims",
    "JwtIssuer",
    "JwtVerifier",
    "RefreshClaims",
    "issue_access",
    "issue_refresh",
    "read_access",
    "read_refresh",
]

C = TypeVar("C", AccessClaims, RefreshClaims)

_REQUIRED = {"iss", "aud", "sub", "sid", "iat", "exp", "jti", "type"}
# What a host that adds claims had better leave to us: a token with another is verified as any.
_OURS = {"iss", "aud", "sub", "iat", "exp", "nbf", "type"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The key of the token that is being made: Flask-JWT-Extended asks for it and for its `kid` one
# after the other, and at the moment of a rotation the two must not be of different keys.
_signing: ContextVar[SigningKey] = ContextVar("signing")
# The key that the token at hand was verified with, which Flask-JWT-Extended does not tell.
_verifying: ContextVar[SigningKey] = ContextVar("verifying")


def issue_access(account: Account, session: Session, now: datetime) -> tuple[str, timedelta]:
    """Return an access token and how long it lasts, by the part that issues."""
    return parts().token_issuer.issue_access(account, session, now)


def issue_refresh(session: Session, now: datetime) -> str:
    """Return the refresh token of a session's current generation, by the part that issues."""
    return parts().token_issuer.issue_refresh(session, now)


def read_access(encoded: str, allow_expired: bool = False) -> AccessClaims:
    """Read an access token by the part that verifies; whether its session goes on is not asked.

    :raises TokenExpired: when its time is over, unless that is allowed.
    :raises TokenInvalid: for whatever else is not an access token.
    """
    return parts().token_verifier.read_access(encoded, allow_expired)


def read_refresh(encoded: str) -> RefreshClaims:
    """Read a refresh token by the part that verifies; what it does, the refresh rule says.

    :raises TokenExpired: when its time is over.
    :raises TokenInvalid: for whatever else is not a refresh token.
    """
    return parts().token_verifier.read_refresh(encoded)


class JwtIssuer:
    """Makes tokens that are JWTs, signed with our key."""

    def claims_of(self, account: Account, session: Session) -> dict[str, object]:
        """Return what an access token says beside the registered claims; a host may say more."""
        claims: dict[str, object] = {
            "sid": session.id,
            "jti": _jti(session),
            "auth_time": int(session.authenticated_at.timestamp()),
            "amr": session.amr.split(),
            "roles": list(account.roles),
        }
        # Other services take this for who somebody is: only what was proved, unless proofs are off.
        if account.email_verified or parts().settings.email_verification == "off":
            claims["email"] = account.email
        return claims

    def issue_access(
        self, account: Account, session: Session, now: datetime
    ) -> tuple[str, timedelta]:
        """Return an access token and how long it lasts, never longer than its session.

        :param now: when it is issued, aware.
        """
        lifetime = min(parts().settings.access_token_expires, session.expires_at - now)
        claims = self.claims_of(account, session)
        return _sign(create_access_token, account.id, lifetime, claims), lifetime

    def issue_refresh(self, session: Session, now: datetime) -> str:
        """Return the refresh token of a session's current generation, good until its end."""
        claims = {"sid": session.id, "gen": session.generation}
        lifetime = session.expires_at - now
        return _sign(create_refresh_token, session.user_id, lifetime, claims)


class JwtVerifier:
    """Reads the tokens that :class:`JwtIssuer` makes, and no others."""

    @cached_property
    def _verified(self) -> VerifiedTokens:
        """Made when it is first needed: a verifier of a host's own need not call our __init__."""
        return VerifiedTokens()

    def read_access(self, encoded: str, allow_expired: bool = False) -> AccessClaims:
        """Read an access token; whether its session still goes on is not asked here.

        :raises TokenExpired: when its time is over, unless that is allowed.
        :raises TokenInvalid: for whatever else is not an access token of ours.
        """
        known = self._known(encoded, AccessClaims)
        if known is not None:
            return known
        payload = _read(encoded, "access", allow_expired)
        claims = _access_claims(payload)
        if not allow_expired:
            self._verified.remember(encoded, Verified(claims, payload["exp"], _verifying.get()))
        return claims

    def read_refresh(self, encoded: str) -> RefreshClaims:
        """Read a refresh token; what presenting it does is for the refresh rule to say.

        :raises TokenExpired: when its time is over.
        :raises TokenInvalid: for whatever else is not a refresh token of ours.
        """
        known = self._known(encoded, RefreshClaims)
        if known is not None:
            return known
        payload = _read(encoded, "refresh", False)
        claims = _refresh_claims(payload)
        self._verified.remember(encoded, Verified(claims, payload["exp"], _verifying.get()))
        return claims

    def signed_here(self, encoded: str, key: SigningKey) -> None:
        """Remember a token that this process has signed this moment, by what the token says."""
        payload = json.loads(base64url_decode(encoded.split(".")[1]))
        read = _access_claims if payload["type"] == "access" else _refresh_claims
        # A host may have said something in it that we would refuse.
        with suppress(TokenInvalid):
            self._verified.remember(encoded, Verified(read(payload), payload["exp"], key))

    def _known(self, encoded: str, kind: type[C]) -> C | None:
        """Return what is remembered of a token of this kind, while its key is one of ours."""
        found = self._verified.find(encoded)
        # Once its key is retired, no token that it signed is good any more.
        if found is None or parts().keys.find(found.key.kid) is not found.key:
            return None
        return found.claims if isinstance(found.claims, kind) else None


def _access_claims(claims: Mapping[str, Any]) -> AccessClaims:
    try:
        return AccessClaims(
            user_id=_text(claims["sub"]),
            session_id=_text(claims["sid"]),
            facts_of=_facts_of(_text(claims["jti"])),
            auth_time=int(claims["auth_time"]),
            amr=tuple(claims["amr"]),
            roles=tuple(claims["roles"]),
            email=_text(claims["email"]) if "email" in claims else None,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise TokenInvalid from None


def _refresh_claims(claims: Mapping[str, Any]) -> RefreshClaims:
    generation = claims.get("gen")
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 1:
        raise TokenInvalid
    return RefreshClaims(_text(claims["sub"]), _text(claims["sid"]), generation)


def _sign(
    create: Callable[..., str], user_id: str, lifetime: timedelta, claims: Mapping[str, Any]
) -> str:
    key, verifier = parts().keys.signing, parts().token_verifier
    _signing.set(key)
    encoded = create(user_id, expires_delta=lifetime, additional_claims=claims)
    if isinstance(verifier, JwtVerifier) and _OURS.isdisjoint(claims):
        verifier.signed_here(encoded, key)
    return encoded


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


def _jti(session: Session) -> str:
    """Return an id for a token, which also says as of which change of its session it speaks.

    `iat` cannot tell: it counts whole seconds, and a token may be issued by what was read a
    moment before a change was committed. What was read says exactly which facts a token holds.
    """
    if session.changed_at is None:
        return str(uuid4())
    return f"{uuid4()}.{(session.changed_at - _EPOCH) // timedelta(microseconds=1)}"


def _facts_of(jti: str) -> datetime | None:
    stamp = jti.partition(".")[2]
    return _EPOCH + timedelta(microseconds=int(stamp)) if stamp.isdecimal() else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TokenInvalid
    return value


@jwt.encode_key_loader
def _signing_key(_identity: object) -> Any:
    return _signing.get().signs


@jwt.additional_headers_loader
def _headers(_identity: object) -> dict[str, str]:
    return {"kid": _signing.get().kid}


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
    _verifying.set(key)
    return key.verifies
