"""Codes and access tokens: signed values that say everything themselves, so no table keeps them.

That makes them last their minute or hour however often they are shown; what a relying party must
not do with a code twice, it has to keep from doing itself.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from pydantic import TypeAdapter

from config import Settings
from webapp import clock
from webapp.features.pretend.people import Person
from webapp.services.secrets import derive_key

Kind = Literal["code", "access token"]
LIFETIMES: dict[Kind, timedelta] = {
    "code": timedelta(seconds=60),
    "access token": timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody allowed an app."""

    client_id: str
    redirect_uri: str
    person: Person
    scopes: tuple[str, ...] = ()
    nonce: str = ""
    # The PKCE challenge (S256), where the app sent one.
    challenge: str = ""
    # When they were asked, for an app that sent `max_age`; seconds since 1970.
    auth_time: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a code or an access token says."""

    grant: Grant
    expires_at: datetime


_SHAPE = TypeAdapter(Grant)


class _Signer(TimestampSigner):
    """It tells the time by our clock."""

    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())


def seal(kind: Kind, provider: str, grant: Grant, settings: Settings) -> str:
    """Return a code or an access token for a grant."""
    sealed = _serializer(kind, provider, settings).dumps(_SHAPE.dump_python(grant, mode="json"))
    return sealed.decode() if isinstance(sealed, bytes) else sealed


def unseal(kind: Kind, provider: str, value: str, settings: Settings) -> Found | None:
    """Return what a code or an access token says; None when it is no such thing, or expired."""
    lifetime = LIFETIMES[kind]
    try:
        content, issued_at = _serializer(kind, provider, settings).loads(
            value, max_age=int(lifetime.total_seconds()), return_timestamp=True
        )
    except BadData:
        return None
    return Found(_SHAPE.validate_python(content), issued_at + lifetime)


def _serializer(kind: Kind, provider: str, settings: Settings) -> URLSafeTimedSerializer:
    purpose = f"pretend {kind} of {provider}"
    return URLSafeTimedSerializer(
        derive_key(settings.secret_key.get_secret_value(), purpose),
        salt=purpose,
        signer=_Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
