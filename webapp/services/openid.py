"""OpenID providers: their discovery documents and keys, remembered, and what their tokens say."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import jwt

from webapp.errors import (
    ProviderClockOff,
    ProviderMisconfigured,
    ProviderTokenInvalid,
    ProviderUnavailable,
)
from webapp.services.provider_http import get_json

T = TypeVar("T")

# Seconds. Providers announce new keys long before they use them; an unknown one is looked up at
# once, but no oftener than this, or forged tokens would make us ask without end.
_REMEMBERED_FOR, _ASKED_AGAIN_AFTER = 3600, 60
# How far clocks may be apart.
_LEEWAY = 60
# Keys that cannot be fetched again are trusted for a day longer: they may have been withdrawn.
_KEPT_AT_MOST = 86400
_MOST_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where an OpenID provider has what (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    # How we are to show our secret at the token endpoint.
    auth_method: str
    # Whether its redirects name it, so that it cannot be taken for another (RFC 9207).
    names_itself: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id token has to be like: all of it pinned by us, nothing by the token."""

    # Google spells its issuer in two ways, Microsoft has one for each tenant.
    is_issuer: Callable[[Mapping[str, Any]], bool]
    audience: Sequence[str]
    algorithms: Sequence[str]
    jwks_uri: str


class _Memory:
    """What was fetched, for an hour; a key that is missing has it fetched again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}
        self._asked_at: dict[str, float] = {}

    def get(self, url: str, fetch: Callable[[str], T], is_stale: bool = False) -> T:
        """Return what is remembered; fetch what is not, or too old, or `is_stale`."""
        now = time.monotonic()
        with self._lock:
            fetched_at, found = self._kept.get(url, (float("-inf"), None))
            asked_at = self._asked_at.get(url, float("-inf"))
            is_needed = found is None or is_stale or now - fetched_at > _REMEMBERED_FOR
            may_ask = found is None or now - asked_at > _ASKED_AGAIN_AFTER
            if not (is_needed and may_ask):
                return found  # type: ignore[no-any-return]
            if len(self._kept) > _MOST_REMEMBERED:
                self._kept.clear()
            self._asked_at[url] = now
        try:
            fresh = fetch(url)
        except ProviderUnavailable:
            if found is not None and now - fetched_at < _KEPT_AT_MOST:
                return found  # type: ignore[no-any-return]
            raise
        with self._lock:
            self._kept[url] = (now, fresh)
            if not is_stale:
                # Keys may change right after they were first read, or read again on the hour.
                self._asked_at.pop(url, None)
        return fresh


class OpenIDProviders:
    """What this process knows about OpenID providers; safe to share between threads."""

    def __init__(self) -> None:
        """Know nothing yet: a provider that is down must not keep the site from starting."""
        self._memory = _Memory()

    def discover(self, issuer: str) -> Metadata:
        """Return where a provider has what.

        :raises ProviderUnavailable: when its discovery document cannot be had.
        :raises ProviderMisconfigured: when that is another provider's, or leaves out what we need.
        """
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        return self._memory.get(url, lambda url: _metadata(issuer, get_json(url)))

    def read_id_token(
        self, encoded: str, expected: Expected, nonces: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the claims of an id token (OpenID Connect Core 1.0, section 3.1.3.7).

        :param nonces: of which one has to be in it; none where none was sent along.
        :raises ProviderTokenInvalid: when anything about it is not as expected.
        :raises ProviderClockOff: when it is out of its time.
        :raises ProviderUnavailable: when the provider's keys cannot be had.
        """
        try:
            key = self._key_of(encoded, expected)
            claims: dict[str, Any] = jwt.decode(
                encoded,
                key,
                algorithms=list(expected.algorithms),
                audience=list(expected.audience),
                leeway=_LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"], "strict_aud": False},
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise ProviderClockOff(error) from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise ProviderTokenInvalid(f"{type(error).__name__}: {error}") from None
        _check(claims, expected, nonces)
        return claims

    def _key_of(self, encoded: str, expected: Expected) -> Any:
        """Return the key that the token names, if it is one of this provider's for signing."""
        header = jwt.get_unverified_header(encoded)
        if header.get("alg") not in expected.algorithms:
            raise ProviderTokenInvalid(f"the algorithm is {header.get('alg')!r}")
        kid = header.get("kid")
        for is_stale in (False, True):
            keys = self._memory.get(expected.jwks_uri, _keys, is_stale)
            fitting = [key for key in keys if kid is None or key.key_id == kid]
            # Without a kid there has to be no doubt which key is meant.
            if len(fitting) == 1 or (kid is not None and fitting):
                return fitting[0].key
        raise ProviderTokenInvalid(f"there is no key {kid!r}")


def _check(claims: dict[str, Any], expected: Expected, nonces: Sequence[str]) -> None:
    if not expected.is_issuer(claims):
        raise ProviderTokenInvalid(f"the issuer is {claims['iss']!r}")
    subject = claims["sub"]
    if not _is_subject(subject):
        raise ProviderTokenInvalid("the subject is none")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not set(audiences) <= set(expected.audience):
        raise ProviderTokenInvalid("it is for others, too")
    if nonces and claims.get("nonce") not in nonces:
        raise ProviderTokenInvalid("the nonce is another one")


def _is_subject(value: object) -> bool:
    """Whether this can name somebody (OpenID Connect Core 1.0, section 2).

    No spaces around it and no NUL: MariaDB takes `eve ` for `eve`, and PostgreSQL takes no NUL.
    """
    if not isinstance(value, str) or value != value.strip():
        return False
    return 0 < len(value) <= 255 and value.isascii() and value.isprintable()


def _metadata(issuer: str, document: Mapping[str, Any]) -> Metadata:
    named = document.get("issuer")
    if not isinstance(named, str) or not _is_same_issuer(named, issuer):
        raise ProviderMisconfigured(f"{issuer} calls itself {named!r}: set the issuer to that")
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    for name in needed:
        if not _is_address(document.get(name), issuer):
            raise ProviderMisconfigured(f"{issuer} has no safe {name}")
    userinfo = document.get("userinfo_endpoint")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        issuer=named,
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        jwks_uri=document["jwks_uri"],
        userinfo_endpoint=userinfo if _is_address(userinfo, issuer) else None,
        auth_method="client_secret_basic"
        if "client_secret_basic" in methods
        else "client_secret_post",
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _is_same_issuer(named: str, issuer: str) -> bool:
    """Whether a discovery document is of the issuer that was asked for it.

    Microsoft's common endpoint serves many tenants, and says so with a placeholder; whoever writes
    one must not pass for another site by it.
    """
    is_for_tenants = "{tenantid}" in named
    return named == issuer or (is_for_tenants and urlsplit(named)[:2] == urlsplit(issuer)[:2])


def _is_address(value: object, issuer: str) -> bool:
    """Whether this is an address as safe as the issuer's own."""
    if not isinstance(value, str):
        return False
    return value.startswith("https://") or (
        value.startswith("http://") and issuer.startswith("http://")
    )


def _keys(url: str) -> list[jwt.PyJWK]:
    """Fetch a provider's keys, leaving out what is not for signatures or not known to us."""
    found = []
    listed = get_json(url).get("keys")
    if not isinstance(listed, list):
        raise ProviderUnavailable(f"{url} lists no keys")
    for item in listed:
        is_ours = isinstance(item, dict) and item.get("use", "sig") == "sig"
        if not is_ours or item.get("kty") == "oct":
            continue
        try:
            found.append(jwt.PyJWK.from_dict(item))
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return found
