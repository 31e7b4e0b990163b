"""The database is down, hangs or is full: 503 in time, nobody is signed out, and it heals."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import make_url, text

from tests.conftest import MakeApp
from tests.doors_kit import Answer, JsonDoor, PagesDoor
from tests.processes.kit import API, bearer, sign_in
from tests.processes.proxy_kit import Proxy, proxy
from webapp.extensions import db

# Seconds in which there has to be an answer.
IN_TIME = 20


@dataclass
class Site:
    """An application behind a proxy, and a browser that is signed in."""

    app: APIFlask
    door: JsonDoor
    proxy: Proxy

    def refresh(self) -> Answer:
        return self.door.refresh()

    def has_lost_nothing(self) -> bool:
        """Whether the browser is signed in as it was, without doing anything for it."""
        return self.door.refresh().is_fine and self.door.who_am_i() == "alice@example.com"


@pytest.fixture
def site(every_database_url: str, make_app: MakeApp) -> Iterator[Site]:
    """A site on each server in turn, with its database behind a proxy."""
    url = make_url(every_database_url)
    assert url.port
    with proxy(url.port) as between:
        app = make_app(
            database_url=url.set(port=between.port).render_as_string(hide_password=False)
        )
        door = JsonDoor(app)
        door.make_account()
        assert door.sign_in("alice@example.com").is_fine
        yield Site(app, door, between)


on_each_server = pytest.mark.parametrize(
    "every_database_url", ["postgresql", "mariadb"], indirect=True
)


def in_time(ask: Callable[[], Answer]) -> Answer:
    began = time.monotonic()
    answer = ask()
    assert time.monotonic() - began < IN_TIME
    return answer


def is_told_so(answer: Answer) -> bool:
    """Whether an answer says "come back later", and leaves the cookies as they are."""
    return (
        answer.status == 503
        and answer.code in ("temporarily_unavailable", None)
        and "Retry-After" in answer.response.headers
        and not _signs_out(answer)
    )


def _signs_out(answer: Answer) -> bool:
    cookies = answer.response.headers.getlist("Set-Cookie")
    return any("_token=" in cookie for cookie in cookies)


@on_each_server
def test_a_server_that_is_down(site: Site) -> None:
    site.proxy.refuse()
    assert is_told_so(in_time(site.refresh))
    assert is_told_so(in_time(lambda: site.door.sign_in("alice@example.com")))
    assert is_told_so(in_time(lambda: site.door.sign_up("bob@example.com")))
    assert site.app.test_client().get("/readyz").status_code == 503
    assert site.app.test_client().get("/healthz").status_code == 200
    site.proxy.start()
    assert site.has_lost_nothing()
    assert site.app.test_client().get("/readyz").status_code == 200


@on_each_server
def test_a_server_that_hangs(site: Site) -> None:
    site.proxy.hang()
    assert is_told_so(in_time(site.refresh))
    site.proxy.start()
    assert site.has_lost_nothing()


@on_each_server
def test_a_server_that_hangs_keeps_nobody_waiting_for_others(site: Site) -> None:
    """Those who come at the same time wait beside each other, not one after the other."""
    tokens = sign_in(site.app, "alice@example.com")
    assert me(site, tokens.access) == 200
    site.proxy.hang()
    time.sleep(5.5)  # The snapshot of ended sessions is good for five seconds without a database.
    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        statuses = set(pool.map(lambda _: me(site, tokens.access), range(8)))
        assert time.monotonic() - began < IN_TIME
    assert statuses == {503}
    site.proxy.start()
    assert me(site, tokens.access) == 200


def me(site: Site, token: str) -> int:
    return site.app.test_client().get(f"{API}/me", headers=bearer(token)).status_code


@on_each_server
def test_dropped_connections_are_not_noticed(site: Site) -> None:
    site.proxy.drop()
    assert site.has_lost_nothing()
    site.proxy.drop()
    assert site.door.sign_in("alice@example.com").is_fine


@on_each_server
def test_pages_say_so_and_keep_the_browser_signed_in(site: Site) -> None:
    door = PagesDoor(site.app)
    assert door.sign_in("alice@example.com").is_fine
    site.proxy.refuse()
    assert is_told_so(in_time(door.refresh))
    assert door.client.get("/account").status_code == 503
    site.proxy.start()
    assert door.who_am_i() == "alice@example.com"


# A full disk.


@pytest.fixture
def full(app: APIFlask) -> Callable[[], None]:
    """Let the database grow no further, as on a full disk: SQLite then says the very same."""

    def fill() -> None:
        with app.app_context():
            pages = db.session.execute(text("PRAGMA page_count")).scalar()
            db.session.rollback()
            db.session.execute(text(f"PRAGMA max_page_count = {pages}"))
            # The limit is the connection's own, so that it has to be the one in use.
            db.session.execute(text("CREATE TABLE filler (x)"))

    return fill


def post(client: FlaskClient, path: str, **body: str) -> int:
    return client.post(f"{API}{path}", json=body).status_code
