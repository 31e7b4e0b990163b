"""Journeys at an OpenID provider that is not ours: npm's oidc-provider, certified."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.openid_kit import OpenIdProvider, openid_provider
from tests.social.kit import Browser, Place, heading_of, new_address, path_of, prove
from tests.support import close_app, free_port, live_site, make_settings, run_command
from webapp.factory import create_app

pytestmark = pytest.mark.xdist_group("social independent")
METHODS = {"acme": "client_secret_basic", "post": "client_secret_post"}


@pytest.fixture(scope="module")
def sites(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, dict[str, OpenIdProvider]]]:
    """A site, and two such providers, which want the secret in different ways."""
    folder = tmp_path_factory.mktemp("independent")
    shutil.copy(migrated_file, folder / "latchkey.db")
    url = f"sqlite:///{folder / 'latchkey.db'}"
    with ExitStack() as stack:
        port = free_port()
        base = f"http://localhost:{port}"
        known = {
            "acme": stack.enter_context(
                openid_provider(
                    [f"{base}/auth/acme/callback"], log=folder / "acme.log", algorithm="RS256"
                )
            ),
            "post": stack.enter_context(
                openid_provider(
                    [f"{base}/auth/post/callback"],
                    log=folder / "post.log",
                    algorithm="EdDSA",
                    auth_method="client_secret_post",
                )
            ),
        }
        settings = {"PORT": str(port)}
        for name, provider in known.items():
            prefix = f"OIDC_{name.upper()}"
            settings[f"{prefix}_ISSUER"] = provider.issuer
            settings[f"{prefix}_CLIENT_ID"] = provider.client_id
            settings[f"{prefix}_CLIENT_SECRET"] = provider.client_secret
        site = stack.enter_context(live_site(url, folder, 1, **settings))
        inside = create_app(make_settings(url, base_url=site.url))
        yield Place(site, inside), known
        close_app(inside)


@pytest.fixture
def place(sites: tuple[Place, dict[str, OpenIdProvider]]) -> Place:
    """The site."""
    return sites[0]


@pytest.fixture
def acme(sites: tuple[Place, dict[str, OpenIdProvider]]) -> Iterator[OpenIdProvider]:
    """The provider, well again afterwards."""
    found = sites[1]["acme"]
    yield found
    found.treat("/token", "answer")


def come(place: Place, provider: OpenIdProvider, login: str, name: str = "acme") -> Browser:
    """Return a browser in which somebody has come back from the provider."""
    browser = place.browser()
    browser.last = browser.get(provider.sign_in(browser.start(name, "/account/devices"), login))
    return browser


@pytest.mark.parametrize("name", METHODS)
def test_somebody_new_and_the_same_again(
    sites: tuple[Place, dict[str, OpenIdProvider]], name: str
) -> None:
    place, known = sites
    email = new_address(name)
    first, second = (come(place, known[name], email, name) for _ in range(2))
    assert first.last.url == f"{place.url}/account/devices"
    assert first.me()["email"] == email
    assert first.me()["email_verified"]
    assert second.me()["id"] == first.me()["id"]
    assert first.connected() == [name]


@pytest.mark.parametrize("name", METHODS)
def test_the_settings_are_right(sites: tuple[Place, dict[str, OpenIdProvider]], name: str) -> None:
    environment = sites[0].site.environment
    done = run_command("social", "check", name, environment=environment, check=False)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    wrong = environment | {f"OIDC_{name.upper()}_CLIENT_SECRET": "another"}
    done = run_command("social", "check", name, environment=wrong, check=False)
    assert done.exit_code == 1
    assert "It refuses the client id or the secret" in done.stdout


def test_an_unverified_address_has_to_be_proved(place: Place, acme: OpenIdProvider) -> None:
    email = new_address()
    browser = come(place, acme, f"unverified:{email}")
    assert path_of(browser.last.url) == "/auth/address"
    assert browser.who() is None
    browser.submit("/auth/address", email=email)
    assert prove(browser, place.link(email)).url == f"{place.url}/account/devices"
    assert browser.who() == email


def test_without_an_address_one_is_asked_for(place: Place, acme: OpenIdProvider) -> None:
    browser = come(place, acme, f"none:{new_address()}")
    assert path_of(browser.last.url) == "/auth/address"
    assert "did not tell us" in browser.last.text


def test_whoever_cancels_is_told_so(place: Place, acme: OpenIdProvider) -> None:
    browser = place.browser()
    response = browser.get(acme.cancel(browser.start("acme")))
    assert response.status_code == 400
    assert "You cancelled." in response.text


def test_a_new_key_works_at_once(place: Place, acme: OpenIdProvider) -> None:
    email = new_address()
    assert come(place, acme, email).who() == email
    acme.rotate_keys()
    assert come(place, acme, email).who() == email


def test_confirming_who_one_is(place: Place, acme: OpenIdProvider) -> None:
    """It asks again, whoever is signed in there still."""
    email = new_address()
    browser = come(place, acme, email)
    there = browser.session
    question = browser.start("acme", "/account/connections", "reauthenticate")
    response = browser.get(acme.sign_in(question, email, there))
    assert response.url == f"{place.url}/account/connections"
    assert ("reauthenticated", "acme") in place.events(email)


@pytest.mark.parametrize("how", ["error", "garbage", "hang"])
def test_a_provider_that_is_down_is_said_to_be(
    place: Place, acme: OpenIdProvider, how: str
) -> None:
    acme.treat("/token", how)  # type: ignore[arg-type]
    browser = come(place, acme, new_address())
    assert browser.last.status_code == 503
    assert heading_of(browser.last) == "Not signed in with Acme"
    assert "provider_unavailable" in place.log_of(browser.last)
    assert browser.who() is None


def test_a_code_works_once_there_and_here(place: Place, acme: OpenIdProvider) -> None:
    browser, thief = place.browser(), place.browser()
    callback = acme.sign_in(browser.start("acme"), email := new_address())
    assert thief.get(callback).status_code == 400
    assert browser.get(callback).status_code == 200
    assert browser.who() == email
    assert browser.get(callback).status_code == 400
