"""One refresh token presented from many processes at once: one successor, and nobody signed out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from apiflask import APIFlask

from tests.doors_kit import JsonDoor
from tests.processes.kit import (
    API,
    Tokens,
    bearer,
    create_user,
    end_grace_window,
    new_address,
    newcomer,
    sign_in_at,
)
from tests.processes.racers import Call, Racers, racers
from tests.redis_kit import stored_session
from tests.support import live_site, parts_of

# The processes are started once a database, so the tests stay together.
pytestmark = pytest.mark.xdist_group("refresh race")

PROCESSES = 8
REFRESH, LOGOUT = f"{API}/refresh", f"{API}/logout"


@pytest.fixture(scope="module")
def processes() -> Iterator[Racers]:
    """Eight processes, started once for all databases, since each takes a second to start."""
    with racers(PROCESSES) as started:
        yield started


@pytest.fixture(scope="module")
def eight(every_shared_database: APIFlask, processes: Racers) -> Racers:
    """Eight processes, each with an application of its own, on each kind of database in turn."""
    processes.enter(parts_of(every_shared_database).settings)
    return processes


def present_at_once(processes: Racers, tokens: Tokens) -> Tokens:
    """Have all present one token; return the one successor that all of them got."""
    replies = processes.race([Call(REFRESH, tokens.refresh)] * PROCESSES)
    assert [reply.status for reply in replies] == [200] * PROCESSES
    successors = [Tokens.of(reply.body) for reply in replies]
    assert {tokens.generation for tokens in successors} == {tokens.generation + 1}
    assert {tokens.session_id for tokens in successors} == {tokens.session_id}
    return successors[-1]


@pytest.mark.parametrize("times", [25, pytest.param(200, marks=pytest.mark.faults)])
def test_eight_processes_get_one_successor_each_time(
    every_shared_database: APIFlask, eight: Racers, times: int
) -> None:
    app = every_shared_database
    tokens = newcomer(app)
    for _ in range(times):
        successor = present_at_once(eight, tokens)
        stored = stored_session(app, tokens.session_id)
        assert (stored.generation, stored.parent) == (successor.generation, tokens.generation)
        assert stored.ended_at is None
        end_grace_window(app, tokens.session_id)
        tokens = successor


def test_a_lost_reply_is_recovered_by_eight_processes_at_once(
    every_shared_database: APIFlask, eight: Racers
) -> None:
    """The parent comes back after the window, from all sides: again one successor."""
    app = every_shared_database
    parent = newcomer(app)
    lost = present_at_once(eight, parent)
    for recoveries in range(1, 11):
        end_grace_window(app, parent.session_id)
        replies = eight.race([Call(REFRESH, parent.refresh)] * PROCESSES)
        assert [reply.status for reply in replies] == [200] * PROCESSES
        generations = {Tokens.of(reply.body).generation for reply in replies}
        assert generations == {lost.generation + recoveries}


@pytest.mark.parametrize("times", [PROCESSES, pytest.param(50, marks=pytest.mark.faults)])
def test_refreshing_while_signing_out_leaves_nothing_alive(
    every_shared_database: APIFlask, eight: Racers, times: int
) -> None:
    """Once from each process at least: the one that signs out is another one each time."""
    app = every_shared_database
    client = app.test_client()
    for round_ in range(times):
        tokens = newcomer(app)
        calls = [Call(REFRESH, tokens.refresh)] * PROCESSES
        calls[round_ % PROCESSES] = Call(LOGOUT, tokens.refresh)
        replies = eight.race(calls)
        assert {reply.status for reply in replies} <= {200, 204, 401}
        handed_out = [Tokens.of(reply.body) for reply in replies if reply.status == 200]
        for token in {tokens.refresh, *(each.refresh for each in handed_out)}:
            assert client.post(REFRESH, headers=bearer(token)).status_code == 401
        assert stored_session(app, tokens.session_id).end_reason == "signed_out"


def test_a_used_up_token_from_eight_processes_is_told_once(
    every_shared_database: APIFlask, eight: Racers
) -> None:
    """Reuse ends the family for all of them, and the person gets one mail, not eight."""
    app = every_shared_database
    email = new_address()
    oldest = newest = newcomer(app, email)
    for _ in range(2):
        newest = present_at_once(eight, newest)
        end_grace_window(app, oldest.session_id)

    replies = eight.race([Call(REFRESH, oldest.refresh)] * PROCESSES)
    assert [reply.status for reply in replies] == [401] * PROCESSES
    assert not any(reply.cookies for reply in replies)

    assert app.test_client().post(REFRESH, headers=bearer(newest.refresh)).status_code == 401
    told = [mail for mail in JsonDoor(app).mails(email) if mail.template == "refresh_reused"]
    assert len(told) == 1


def test_32_parallel_requests_at_several_workers_get_one_successor(
    database_url: str, tmp_path: Path
) -> None:
    with live_site(database_url, tmp_path, workers=4) as site, ThreadPoolExecutor(32) as pool:
        create_user(site, "alice@example.com")
        tokens = sign_in_at(site, "alice@example.com")

        def present(_: int) -> requests.Response:
            return requests.post(site.url + REFRESH, headers=bearer(tokens.refresh), timeout=60)

        replies = list(pool.map(present, range(32)))
        assert [reply.status_code for reply in replies] == [200] * 32
        generations = {Tokens.of(reply.json()).generation for reply in replies}
        assert generations == {tokens.generation + 1}
        newest = Tokens.of(replies[0].json())
        me = requests.get(site.url + f"{API}/me", headers=bearer(newest.access), timeout=60)
        assert me.status_code == 200
