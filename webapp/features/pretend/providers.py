"""The four that are played, and wherein they differ."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider, as far as the rules have to tell it from the others."""

    name: str
    label: str
    # Speaks OpenID Connect: discovery, id tokens, keys.
    is_openid: bool = False
    # Says who answers, in the parameter `iss` (RFC 9207).
    names_itself: bool = False
    takes_pkce: bool = True
    response_modes: tuple[str, ...] = ("query",)
    # What it sends to the app when somebody presses Cancel.
    cancelled: tuple[tuple[str, str], ...] = (("error", "access_denied"),)


PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("google", "Google", is_openid=True, names_itself=True),
        Provider(
            "apple",
            "Apple",
            is_openid=True,
            takes_pkce=False,
            response_modes=("query", "form_post"),
            cancelled=(("error", "user_cancelled_authorize"),),
        ),
        Provider(
            "facebook",
            "Facebook",
            cancelled=(
                ("error", "access_denied"),
                ("error_code", "200"),
                ("error_description", "Permissions error"),
                ("error_reason", "user_denied"),
            ),
        ),
        Provider(
            "github",
            "GitHub",
            cancelled=(
                ("error", "access_denied"),
                ("error_description", "The user has denied your application access."),
            ),
        ),
    )
}
