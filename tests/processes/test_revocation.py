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
    create_user,
    new_address,
    sign_in_at,
    wait_until,
)
from tests.redis_kit import Server
from tests.support import (
    LiveSite,
    close_app,
    live_site,
    make_settings,
    migrated_database,
    run_command,
)
from webapp.factory import create_app

pytestmark = pytest.mark.xdist_group("revocation")

Sites = tuple[LiveSite, LiveSite]

# Nodes go by one name, which stands in their tokens; strict rotation, so that reuse is quick.
ONE_NAME = {"BASE_URL": "http://localhost", "REFRESH_GRACE": "0"}

USERS = "/api/v1/users"

# About a second is promised; machines that run tests are busy.
SOON = 3.0


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "redis"])
def sites(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sites]:
    """Two nodes with two workers each, on one database, the last time with a Redis beside it."""
    folder = tmp_path_factory.mktemp("sites")
    settings, database = dict(ONE_NAME), request.param
    if database == "redis":
        server: Server = request.getfixturevalue("redis")
        settings |= {"SESSION_STORE": "redis", "REDIS_URL": server.url}
        database = "sqlite"
    with (
        migrated_database(database, migrated_file, folder) as url,
        live_site(url, folder, 2, **settings) as one,
        live_site(url, folder, 2, **settings) as other,
    ):
        yield one, other


@pytest.fixture
def email(sites: Sites) -> Iterator[str]:
    """Somebody with an account, whom no other test knows."""
    app = create_app(make_settings(sites[0].environment["DATABASE_URL"]))
    email = new_address()
    JsonDoor(app).make_account(email)
    yield email
    close_app(app)


def answers(sites: Sites, tokens: Tokens, path: str = f"{API}/me") -> set[int]:
    """Ask over many connections at once, so that every worker has to answer some of them."""

    def ask(number: int) -> int:
        url = sites[number % 2].url + path
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
        run_command("user", "disable", email, environment=sites[1].environment)

    ends_everywhere(sites, tokens, disable)


def test_a_demotion_reaches_every_worker_and_is_refreshed_away(sites: Sites, email: str) -> None:
    """The next request anywhere is told to refresh, and what comes back is no administrator's."""
    create_user(sites[0], new_address(), "--role", "admin")
    run_command("user", "set-role", email, "admin", environment=sites[0].environment)
    tokens = sign_in_at(sites[0], email)
    assert answers(sites, tokens, USERS) == {200}
    run_command("user", "set-role", email, "user", environment=sites[1].environment)
    wait_until(lambda: answers(sites, tokens, USERS) == {401}, SOON)
    reply = requests.get(sites[1].url + USERS, headers=bearer(tokens.access), timeout=30)
    assert reply.json()["code"] == "token_expired"
    fresh = requests.post(
        sites[1].url + f"{API}/refresh", headers=bearer(tokens.refresh), timeout=30
    )
    after = Tokens.of(fresh.json())
    assert answers(sites, after, f"{API}/me") == {200}
    assert answers(sites, after, USERS) == {403}


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
    run_command("user", "disable", email, environment=sites[0].environment)
    database_url = sites[0].environment["DATABASE_URL"]
    with live_site(database_url, tmp_path, 1, **ONE_NAME) as late:
        first = requests.get(late.url + f"{API}/me", headers=bearer(tokens.access), timeout=30)
        assert first.status_code == 401
