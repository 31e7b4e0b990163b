"""The settings of sign-in providers: read from names like GOOGLE_CLIENT_ID and OIDC_ACME_ISSUER.

Any name in front of `_CLIENT_ID` is a provider's; which of them can be used, and what each needs,
is declared in the social room.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

_NOTHING = SecretStr("")
_NAMES = re.compile(r"(OIDC_)?([A-Z][A-Z0-9_]*)_CLIENT_ID")
FAKES = ("google", "apple", "facebook", "github")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What an operator was given by a provider, or tells about it; empty where nothing is set."""

    client_id: str
    client_secret: SecretStr = _NOTHING
    # Where its discovery document or its endpoints are; empty for the provider's own.
    issuer: str = ""
    # Further audiences that id tokens from native apps may be for.
    audience: tuple[str, ...] = ()
    label: str = ""
    # Apple's: its client secret is made from these.
    team_id: str = ""
    key_id: str = ""
    private_key: SecretStr = _NOTHING
    is_any_oidc: bool = False


def read_providers(env: Mapping[str, str]) -> dict[str, ProviderSettings]:
    """Return the providers that an environment names, by provider id.

    :raises ValueError: with one sentence for each thing to mend, a line each.
    """
    found: dict[str, ProviderSettings] = {}
    problems: list[str] = []
    for name in sorted(env):
        match = _NAMES.fullmatch(name)
        if match is None or not env[name].strip():
            continue
        provider_id = match[2].lower()
        if provider_id in found:
            problems.append(f"{name} names {provider_id} a second time: give one another name.")
            continue
        try:
            found[provider_id] = _read(env, name.removesuffix("CLIENT_ID"), bool(match[1]))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("\n".join(problems))
    return found


def _read(env: Mapping[str, str], prefix: str, is_any_oidc: bool) -> ProviderSettings:
    def value(name: str) -> str:
        return env.get(prefix + name, "").strip()

    issuer = value("ISSUER")
    if is_any_oidc and not issuer:
        raise ValueError(f"{prefix}ISSUER is missing: set it to the provider's https address.")
    if issuer and not re.fullmatch(r"https?://[^\s?#]+", issuer):
        raise ValueError(f"{prefix}ISSUER has to be an address such as https://id.example.org.")
    return ProviderSettings(
        client_id=value("CLIENT_ID"),
        client_secret=SecretStr(value("CLIENT_SECRET")),
        issuer=issuer,
        audience=_audience(prefix, value("AUDIENCE")),
        label=value("LABEL"),
        team_id=value("TEAM_ID"),
        key_id=value("KEY_ID"),
        private_key=SecretStr(value("PRIVATE_KEY").replace("\\n", "\n")),
        is_any_oidc=is_any_oidc,
    )


def _audience(prefix: str, text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(item, str) and item for item in found):
        raise ValueError(f'{prefix}AUDIENCE has to be a JSON list such as ["app-one", "app-two"].')
    return tuple(found)
