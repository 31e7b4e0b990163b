"""What a provider is: what is declared about it, and what the operator has set up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config import ProviderSettings
from webapp.features.social.identity import Identity

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """What we are at a provider, and where it is."""

    client_id: str
    client_secret: str
    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Api:
    """A provider without discovery: where it asks people, issues tokens, and says who somebody is.

    The addresses follow from its own, or from what `<PROVIDER>_ISSUER` puts in its place.
    """

    asks_at: Callable[[str], str]
    issues_at: Callable[[str], str]
    # Who the bearer of an access token is.
    identify: Callable[[Registration, str], Identity]
    # Whether an access token that somebody brings along was issued to us; raises when not.
    check_token: Callable[[Registration, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What there is to know about a provider."""

    label: str
    issuer: str
    scope: str
    api: Api | None = None
    takes_pkce: bool = True
    # Sends its reply as a form, across sites (OAuth 2.0 Form Post Response Mode).
    posts_reply: bool = False
    algorithms: tuple[str, ...] = ("RS256",)
    is_issuer: Callable[[str, Claims], bool] = lambda issuer, claims: claims["iss"] == issuer
    is_email_verified: Callable[[Claims], bool] = lambda claims: (
        claims.get("email_verified")
        in (
            True,
            "true",
        )
    )
    # What it demands beside the client id, as named in ProviderSettings.
    needs: tuple[str, ...] = ("client_secret",)
    make_secret: Callable[[ProviderSettings, str], str] = lambda given, issuer: (
        given.client_secret.get_secret_value()
    )


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that is set up here."""

    id: str
    declaration: Declaration
    settings: ProviderSettings
    is_pretend: bool = False

    @property
    def label(self) -> str:
        """What people know it by."""
        named = self.settings.label or self.declaration.label
        return named or self.id.replace("_", " ").title()

    @property
    def issuer(self) -> str:
        """Where it is."""
        return self.settings.issuer or self.declaration.issuer

    def registration(self) -> Registration:
        """Return what we are at this provider, with the secret, which Apple wants made anew."""
        given = self.settings
        return Registration(
            client_id=given.client_id,
            client_secret=self.declaration.make_secret(given, self.issuer),
            issuer=self.issuer,
            audience=(given.client_id, *given.audience),
        )
