"""The providers that are set up here."""

from config import ProviderSettings, Settings
from webapp.errors import NotFound
from webapp.features.pretend.clients import client_of
from webapp.features.social.provider import Declaration, Provider
from webapp.features.social.providers import ANY_OIDC, DECLARATIONS


def configured(settings: Settings) -> dict[str, Provider]:
    """Return the providers that are set up, by id; one with half its settings is not."""
    found = {}
    for provider_id, given in settings.providers.items():
        declaration = ANY_OIDC if given.is_any_oidc else DECLARATIONS.get(provider_id)
        if declaration and not missing_settings(declaration, given):
            found[provider_id] = Provider(provider_id, declaration, given)
    for name in settings.fake_providers:
        if name not in settings.providers:
            found[name] = Provider(name, DECLARATIONS[name], client_of(name, settings), True)
    in_order = [*DECLARATIONS, *found]
    return {provider_id: found[provider_id] for provider_id in in_order if provider_id in found}


def missing_settings(declaration: Declaration, given: ProviderSettings) -> list[str]:
    """Return the names of what a provider demands and the operator has not set."""
    values = {name: getattr(given, name) for name in declaration.needs}
    return [
        name
        for name, value in values.items()
        if not (value if isinstance(value, str) else value.get_secret_value())
    ]


def find(settings: Settings, provider_id: str) -> Provider:
    """Return a provider that is set up.

    :raises NotFound: when there is none by this name.
    """
    provider = configured(settings).get(provider_id)
    if provider is None:
        raise NotFound
    return provider
