"""The database is down, hangs or is full: 503 in time, nobody is signed out, and it heals."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import pytest
from apiflask import APIFlask
from sqlalchemy import event, func, make_url, select, true

from tests.conftest import MakeApp
from tests.doors_kit import Answer, JsonDoor, PagesDoor
from tests.processes.kit import API, bearer, sign_in
from tests.processes.proxy_kit import Proxy, proxy
from tests.support import parts_of
from webapp.extensions import db
from webapp.models import OneTimeTokenRow, OutboxRow, UserRow
from webapp.stores import engine, postgresql

T = TypeVar("T")

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
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many seconds a statement may take: as many as ever, or as a test would have it."""
    seconds: int = getattr(request, "param", engine.STATEMENT)
    answer = postgresql._ANSWER - engine.STATEMENT + seconds
    monkeypatch.setattr(engine, "_CONNECT", min(seconds, engine._CONNECT))
    monkeypatch.setattr(postgresql, "_ANSWER", answer)
    monkeypatch.setattr(engine, "STATEMENT", seconds)
    return seconds


@pytest.fixture
def site(every_database_url: str, patience: int, make_app: MakeApp) -> Iterator[Site]:
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


def in_time(ask: Callable[[], T], seconds: int = IN_TIME) -> T:
    began = time.monotonic()
    answer = ask()
    assert time.monotonic() - began < seconds
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


# The bounds themselves are numbers; smaller ones are kept in the same way.
@pytest.mark.parametrize("patience", [2, pytest.param(10, marks=pytest.mark.faults)], indirect=True)
@on_each_server
def test_a_server_that_hangs(site: Site, patience: int) -> None:
    """Those who come at the same time wait beside each other, not one after the other."""
    tokens = sign_in(site.app, "alice@example.com")
    assert me(site, tokens.access) == 200
    site.proxy.hang()
    # As a sign-out would: the snapshot of ended sessions has to be read again before it is used.
    parts_of(site.app).revocations.expect_change()
    soon = patience + IN_TIME // 2
    with ThreadPoolExecutor(9) as pool:
        refreshed = pool.submit(in_time, site.refresh, soon)
        asked = [pool.submit(in_time, lambda: me(site, tokens.access), soon) for _ in range(8)]
        assert {status.result() for status in asked} == {503}
        assert is_told_so(refreshed.result())
    site.proxy.start()
    assert site.has_lost_nothing()
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


# A full disk, as SQLite tells it: the file may not grow, whoever writes to it.


@contextmanager
def full_disk(app: APIFlask) -> Iterator[None]:
    """Let the database grow by a few pages and then no more."""

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 8}")

    with app.app_context():
        db.engine.dispose()
        event.listen(db.engine, "connect", limit)
        yield
        event.remove(db.engine, "connect", limit)
        db.engine.dispose()


def test_a_full_disk_is_told_and_leaves_no_half_account(make_app: MakeApp, sqlite_url: str) -> None:
    app = make_app(database_url=sqlite_url)
    alice = JsonDoor(app)
    alice.make_account()
    alice.sign_in("alice@example.com")

    with full_disk(app):
        answers = [JsonDoor(app).sign_up(f"user{number}@example.com") for number in range(60)]
        assert is_told_so(answers[-1])
        assert {answer.status for answer in answers} == {202, 503}
        assert alice.refresh().status in (200, 503)
        assert alice.who_am_i() == "alice@example.com"

    made = 1 + [answer.status for answer in answers].count(202)
    links = OneTimeTokenRow.purpose == "verify_email"
    mails = OutboxRow.template == "verify_email"
    with app.app_context():
        for table, which in ((UserRow, true()), (OneTimeTokenRow, links), (OutboxRow, mails)):
            query = select(func.count()).select_from(table).where(which)
            assert db.session.scalar(query) == made
    assert JsonDoor(app).sign_up("user59@example.com").is_fine
    assert alice.refresh().is_fine
