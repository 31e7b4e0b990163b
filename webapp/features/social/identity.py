"""Who somebody is at a provider."""

from dataclasses import dataclass

from webapp.errors import ValidationFailed
from webapp.services import policy
from webapp.services.addresses import normalize_email


@dataclass(frozen=True, slots=True)
class Identity:
    """One person at one provider; the address is told, and verified, by the provider alone."""

    provider: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str = ""
    # When they signed in over there, in seconds since 1970, where the provider tells.
    authenticated_at: int | None = None


def make_identity(
    provider: str, subject: str, email: object, is_verified: bool, name: object
) -> Identity:
    """Return an identity in our own spelling; what we cannot use of it counts as missing."""
    return Identity(
        provider=provider,
        subject=subject,
        email=(found := _email(email)),
        email_verified=is_verified and found is not None,
        name=clean_name(name),
    )


def clean_name(name: object) -> str:
    """Return a name as we would take it from its bearer, cut to what fits; empty when it cannot."""
    if not isinstance(name, str):
        return ""
    try:
        return policy.check_name(name[: policy.NAME_MAX_LENGTH])
    except ValidationFailed:
        return ""


def _email(email: object) -> str | None:
    if not isinstance(email, str):
        return None
    try:
        return normalize_email(email)
    except ValidationFailed:
        return None
