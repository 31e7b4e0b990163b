"""A sign-in that ends, ends everywhere: on every worker of every node within about a second."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.doors_kit import JsonDoor
from tests.processes.kit import (
    API,
    Tokens,
    bearer,
    new_address,
    sign_in_at,
    wait_until,
)
from tests.support import LiveSite, live_site, make_settings, migrated_database, run_flask
from webapp.extensions import db
from webapp.factory import create_app

pytestmark = pytest.mark.xdist_group("revocation")

Sites = tuple[LiveSite, LiveSite]

# Nodes go by one name, which stands in their tokens; strict rotation, so that reuse is quick.
ONE_NAME = {"BASE_URL": "http://localhost", "REFRESH_GRACE": "0"}

# About a second is promised; machines that run tests are busy.
SOON = 3.0


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def sites(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sites]:
    """Two nodes with two workers each, on one database."""
    folder = tmp_path_factory.mktemp("sites")
    with (
        migrated_database(request.param, migrated_file, folder) as url,
        live_site(url, folder, 2, **ONE_NAME) as one,
        live_site(url, folder, 2, **ONE_NAME) as other,
    ):
        yield one, other


@pytest.fixture
def email(sites: Sites) -> Iterator[str]:
    """Somebody with an account, whom no other test knows."""
    app = create_app(make_settings(sites[0].environment["DATABASE_URL"]))
    email = new_address()
    JsonDoor(app).make_account(email)
    yield email
    with app.app_context():
        db.engine.dispose()


def answers(sites: Sites, tokens: Tokens) -> set[int]:
    """Ask over many connections at once, so that every worker has to answer some of them."""

    def ask(number: int) -> int:
        url = sites[number % 2].url + f"{API}/me"
        return requests.get(url, headers=bearer(tokens.access), timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        return set(pool.map(ask, range(48)))


def ends_everywhere(sites: Sites, tokens: Tokens, end: Callable[[], object]) -> None:
    """See that a token works everywhere, end its session, and see that it soon works nowhere."""
    assert answers(sites, tokens) == {200}
    end()
    wait_until(lambda: answers(sites, tokens) == {401}, SOON)
    assert answers(sites, tokens) == {401}


def test_signing_out_reaches_every_worker(sites: Sites, email: str) -> None:
    tokens = sign_in_at(sites[0], email)

    def sign_out() -> None:
        url = sites[0].url + f"{API}/logout"
        assert requests.post(url, headers=bearer(tokens.access), timeout=30).status_code == 204

    ends_everywhere(sites, tokens, sign_out)


def test_disabling_an_account_reaches_every_worker(sites: Sites, email: str) -> None:
    tokens = sign_in_at(sites[0], email)

    def disable() -> None:
        run_flask("user", "disable", email, environment=sites[1].environment)

    ends_everywhere(sites, tokens, disable)


def test_a_reused_refresh_token_ends_its_family_on_every_worker(sites: Sites, email: str) -> None:
    first = newest = sign_in_at(sites[0], email)
    for _ in range(2):
        newest = refreshed(sites[1], newest)

    def present_first_again() -> None:
        url = sites[0].url + f"{API}/refresh"
        assert requests.post(url, headers=bearer(first.refresh), timeout=30).status_code == 401

    ends_everywhere(sites, newest, present_first_again)


def refreshed(site: LiveSite, tokens: Tokens) -> Tokens:
    reply = requests.post(site.url + f"{API}/refresh", headers=bearer(tokens.refresh), timeout=30)
    assert reply.status_code == 200
    return Tokens.of(reply.json())


def test_one_sign_out_leaves_other_devices_alone(sites: Sites, email: str) -> None:
    here, elsewhere = sign_in_at(sites[0], email), sign_in_at(sites[1], email)
    url = sites[0].url + f"{API}/logout"
    assert requests.post(url, headers=bearer(here.access), timeout=30).status_code == 204
    wait_until(lambda: answers(sites, here) == {401}, SOON)
    assert answers(sites, elsewhere) == {200}


def test_a_session_begun_on_one_node_is_good_on_the_other(sites: Sites, email: str) -> None:
    tokens = sign_in_at(sites[0], email)
    assert answers(sites, refreshed(sites[1], tokens)) == {200}


@pytest.mark.parametrize("sites", ["sqlite"], indirect=True, scope="module")
def test_a_worker_that_starts_later_knows_what_has_ended(
    sites: Sites, email: str, tmp_path: Path
) -> None:
    tokens = sign_in_at(sites[0], email)
    run_flask("user", "disable", email, environment=sites[0].environment)
    database_url = sites[0].environment["DATABASE_URL"]
    with live_site(database_url, tmp_path, 1, **ONE_NAME) as late:
        first = requests.get(late.url + f"{API}/me", headers=bearer(tokens.access), timeout=30)
        assert first.status_code == 401
