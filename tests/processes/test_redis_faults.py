"""Sessions in Redis while a process dies, an account is shut, or Redis is down or hangs."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import pytest
from apiflask import APIFlask

from config import Settings
from tests.account_kit import NEW_PASSWORD, AccountJson, another, reset_link, signed_in
from tests.conftest import MakeApp
from tests.database_kit import before_statements
from tests.doors_kit import Answer, PagesDoor
from tests.processes.kit import API, bearer, sign_in
from tests.redis_kit import Server, redis_server
from tests.support import parts_of
from webapp.extensions import db
from webapp.factory import create_app
from webapp.features.users import flow as users_flow
from webapp.services.client import Client

T = TypeVar("T")

ALICE = "alice@example.com"
SHELL = Client(ip="", user_agent="a test")

# Seconds in which there has to be an answer while Redis hangs.
IN_TIME = 8


@pytest.fixture
def app(make_app: MakeApp, redis: Server) -> APIFlask:
    """An application with its sessions in Redis, and all else in SQLite."""
    redis.client.flushall()
    return make_app(session_store="redis", redis_url=redis.url)


@pytest.fixture
def door(app: APIFlask) -> AccountJson:
    """Alice's browser, signed in."""
    return signed_in(AccountJson(app))


# A process that dies in between.


def die_at_commit(settings: Settings, token: str) -> None:
    """Reset a password in a process that is gone before the database commits."""
    app = create_app(settings)

    def die(statement: str) -> None:
        if statement == "COMMIT":
            os._exit(9)

    with app.app_context(), before_statements(db.engine, die):
        AccountJson(app).reset(token)


def test_a_process_that_dies_in_a_reset_has_ended_the_sessions_first(
    app: APIFlask, door: AccountJson
) -> None:
    tokens, token = sign_in(app, ALICE), reset_link(door)
    process = get_context("spawn").Process(
        target=die_at_commit, args=(parts_of(app).settings, token)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    refreshed = app.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    assert refreshed.get_json()["code"] == "token_revoked"
    assert another(door).sign_in(ALICE, NEW_PASSWORD).status == 401
    # Nothing is used up: the same link does it now, and what the dead one left is told of, too.
    assert door.reset(token).is_fine
    parts_of(app).revocations.expect_change()
    me = app.test_client().get(f"{API}/me", headers=bearer(tokens.access))
    assert me.get_json()["code"] == "token_revoked"


# Sign-ins beside what shuts them out.


@pytest.mark.parametrize("every_database_url", ["sqlite", "postgresql"], indirect=True)
def test_no_sign_in_outlives_a_disabling_at_the_same_moment(
    every_database_url: str, make_app: MakeApp, redis: Server
) -> None:
    app = make_app(database_url=every_database_url, session_store="redis", redis_url=redis.url)
    door = AccountJson(app)
    door.make_account()
    answers: list[Answer] = []

    def disable() -> None:
        with app.app_context():
            users_flow.disable_user(ALICE, SHELL)

    for _ in range(8):
        browsers = [another(door) for _ in range(6)]
        with ThreadPoolExecutor(7) as pool:
            signing_in = [pool.submit(browser.sign_in, ALICE) for browser in browsers]
            pool.submit(disable).result()
            answers += [one.result() for one in signing_in]
        assert [browser.refresh().is_fine for browser in browsers] == [False] * 6
        with app.app_context():
            users_flow.enable_user(ALICE, SHELL)
        assert [browser.refresh().is_fine for browser in browsers] == [False] * 6
    assert {answer.status for answer in answers} == {200, 401}, "nothing was raced"


# Redis is down.


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A Redis that keeps what it said it did, for this test alone."""
    with redis_server(tmp_path / "own", "--appendonly", "yes", "--appendfsync", "always") as made:
        yield made


def in_time(ask: Callable[[], T]) -> T:
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
        and not any("_token=" in c for c in answer.response.headers.getlist("Set-Cookie"))
    )


@pytest.mark.parametrize(
    "how",
    [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.faults)],
    ids=["down", "hung"],
)
def test_while_redis_is_down_nobody_is_signed_out(
    make_app: MakeApp, own: Server, how: signal.Signals
) -> None:
    app = make_app(session_store="redis", redis_url=own.url)
    door = signed_in(AccountJson(app))
    pages = PagesDoor(app)
    pages.sign_in(ALICE)
    tokens = sign_in(app, ALICE)
    ended = sign_in(app, ALICE)
    client = app.test_client()
    assert client.post(f"{API}/logout", headers=bearer(ended.access)).status_code == 204
    assert client.get(f"{API}/me", headers=bearer(ended.access)).status_code == 401

    own.stop(how)
    assert is_told_so(in_time(door.refresh))
    assert is_told_so(in_time(lambda: another(door).sign_in(ALICE)))
    if how is signal.SIGKILL:  # While it hangs, each of them takes two seconds.
        assert is_told_so(door.sign_out())
        assert is_told_so(pages.refresh())
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    # What had ended stays so: the last snapshot tells, and when it is too old, nobody is let in.
    assert client.get(f"{API}/me", headers=bearer(ended.access)).status_code in (401, 503)
    parts_of(app).revocations.expect_change()
    time.sleep(0.1)
    assert (
        in_time(lambda: client.get(f"{API}/me", headers=bearer(tokens.access))).status_code == 503
    )

    if how is signal.SIGSTOP:
        own.process.send_signal(signal.SIGCONT)
    else:
        own.start()
    assert client.get("/readyz").status_code == 200
    assert door.refresh().is_fine
    assert door.who_am_i() == ALICE
    assert client.get(f"{API}/me", headers=bearer(ended.access)).status_code == 401
    assert client.get(f"{API}/me", headers=bearer(tokens.access)).status_code == 200
    assert pages.who_am_i() == ALICE


def test_a_site_starts_while_redis_is_down(make_app: MakeApp, own: Server) -> None:
    own.stop()
    app = make_app(session_store="redis", redis_url=own.url)
    assert app.test_client().get("/healthz").status_code == 200
    assert app.test_client().get("/readyz").status_code == 503
    own.start()
    assert app.test_client().get("/readyz").status_code == 200
