"""What sign-in providers are asked, and what they answer.

Authlib, requests and what these bring along take 8 MB: a site without providers never loads them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from webapp.errors import ProviderUnavailable

if TYPE_CHECKING:
    from requests import Response

    from webapp.services.provider_session import ProviderSession


class OAuthRefusal(Exception):
    """A provider's token endpoint says no (RFC 6749, section 5.2)."""

    def __init__(self, error: object, description: object = None) -> None:
        """Take what it says, which may be of any shape."""
        super().__init__(error)
        self.error = error
        self.description = description or ""


def open_session(**kwargs: Any) -> "ProviderSession":
    """Return Authlib's OAuth client with bounds; its token requests raise OAuthRefusal."""
    from webapp.services.provider_session import ProviderSession  # noqa: PLC0415

    session = ProviderSession(**kwargs)
    session.oauth_error_class = OAuthRefusal
    return session


def get_json(url: str, **kwargs: Any) -> Mapping[str, Any]:
    """Return a JSON object that a provider publishes.

    :raises ProviderUnavailable: when there is none.
    """
    with open_session() as session:
        found = json_of(session.get(url, withhold_token=True, **kwargs))
    if not isinstance(found, dict):
        raise ProviderUnavailable(f"{_plain(url)} answers no JSON object")
    return found


def json_of(response: "Response") -> Any:
    """Return what a reply says in JSON.

    :raises ProviderUnavailable: when that is none, or the reply no success.
    """
    url = _plain(response.url or "")
    if response.status_code != 200:
        raise ProviderUnavailable(f"{url} answers {response.status_code}")
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise ProviderUnavailable(f"{url} answers no JSON") from None


def _plain(url: str) -> str:
    return url.partition("?")[0]
