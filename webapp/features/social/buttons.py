"""The buttons that lead to the providers, for every page that offers them."""

from dataclasses import dataclass
from urllib.parse import urlencode

from webapp.doors.pages.paths import own
from webapp.features.social.flow import list_providers


@dataclass(frozen=True, slots=True)
class Button:
    """One provider to continue with."""

    id: str
    label: str
    start_url: str
    is_pretend: bool


def provider_buttons(target: str, intent: str = "sign_in") -> list[Button]:
    """Return a button for each provider that is set up.

    :param target: the local path to come back to.
    """
    return [
        Button(
            provider.id, provider.label, start_url(provider.id, target, intent), provider.is_pretend
        )
        for provider in list_providers()
    ]


def start_url(provider_id: str, target: str, intent: str = "sign_in") -> str:
    """Return the path that begins a sign-in with a provider."""
    query = {"next": target} | ({"intent": intent} if intent != "sign_in" else {})
    return own(f"/auth/{provider_id}/start?{urlencode(query, safe='/')}")
