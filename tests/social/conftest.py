"""One site for all of these tests, with the providers that it plays and others that are evil."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.social.evil import Evil, evil_providers, settings_of
from tests.social.kit import ALL, Browser, Place
from tests.support import close_app, free_port, live_site, make_settings
from webapp.factory import create_app

# Each is asked for something else, and what a site remembers of one does not count for others.
EVILS = (
    "evil", "twin", "keys", "flood", "sender", "liar", "junk", "poor", "down", "times",
)  # fmt: skip


@pytest.fixture(scope="session")
def evils() -> Iterator[dict[str, Evil]]:
    """The evil providers, by name."""
    with evil_providers(*EVILS) as found:
        found["liar"].metadata = {"issuer": "https://elsewhere.example.org"}
        found["poor"].metadata = {"token_endpoint": "ftp://elsewhere.example.org/token"}
        found["sender"].metadata = {"authorization_response_iss_parameter_supported": True}
        yield found


@pytest.fixture(scope="session")
def place(
    evils: dict[str, Evil], migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """The site."""
    folder = tmp_path_factory.mktemp("social")
    path = folder / "latchkey.db"
    shutil.copy(migrated_file, path)
    url = f"sqlite:///{path}"
    settings = settings_of(evils) | {
        "FAKE_PROVIDERS": ",".join(ALL),
        "OIDC_GONE_ISSUER": f"http://127.0.0.1:{free_port()}",
        "OIDC_GONE_CLIENT_ID": "latchkey",
        "OIDC_GONE_CLIENT_SECRET": "secret",
        "OIDC_EVIL_AUDIENCE": '["app-one", "app-two"]',
    }
    with live_site(url, folder, 1, **settings) as site:
        inside = create_app(make_settings(url, base_url=site.url, email_verification="optional"))
        yield Place(site, inside)
        close_app(inside)


@pytest.fixture
def browser(place: Place) -> Browser:
    """A browser with nothing in it."""
    return place.browser()


@pytest.fixture
def evil(evils: dict[str, Evil]) -> Iterator[Evil]:
    """One of the evil providers, good at first."""
    yield evils["evil"]
    evils["evil"].reset()
