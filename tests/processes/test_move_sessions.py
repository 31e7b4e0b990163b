"""Moving sessions from one store to the other while people are signed in: nobody is signed out."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from apiflask import APIFlask

from tests.account_kit import AccountJson, account_of, another, reset_link, signed_in
from tests.conftest import MakeApp
from tests.processes.kit import API, Tokens, bearer, end_grace_window, newcomer
from tests.redis_kit import Server, stored_session, stored_sessions
from tests.store_kit import Person
from tests.support import redis_of
from webapp import clock
from webapp.features.ops import flow

ALICE = "alice@example.com"

BOTH_WAYS = pytest.mark.parametrize(("before", "after"), [("sql", "redis"), ("redis", "sql")])


@pytest.fixture
def nodes(make_app: MakeApp, redis: Server) -> dict[str, APIFlask]:
    """One site, as its nodes are with their sessions in either store."""
    redis.client.flushall()
    return {kind: make_app(session_store=kind, redis_url=redis.url) for kind in ("sql", "redis")}


def move(node: APIFlask, to: str) -> str:
    """Type the command on a node; return what it says."""
    done = node.test_cli_runner().invoke(args=("sessions", "move", "--to", to))
    assert done.exit_code == 0, done.stderr
    return str(done.stdout)


def refreshed(node: APIFlask, tokens: Tokens) -> Tokens:
    reply = node.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    assert reply.status_code == 200, reply.text
    return Tokens.of(reply.get_json())


def is_refused(node: APIFlask, tokens: Tokens) -> bool:
    reply = node.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    return reply.status_code == 401


@BOTH_WAYS
def test_a_session_is_the_same_on_the_other_side(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    tokens = refreshed(nodes[before], newcomer(nodes[before]))
    session = stored_session(nodes[before], tokens.session_id)
    said = move(nodes[before], after)
    assert said.startswith("2 sessions found, 2 of them new or further on there.")
    assert f"Set SESSION_STORE={after}" in said
    assert stored_session(nodes[after], session.id) == session
    assert stored_session(nodes[before], session.id) == session, "nodes still run on it"
    assert refreshed(nodes[after], tokens).generation == tokens.generation

    assert "They are deleted" in move(nodes[after], after)
    assert stored_sessions(nodes[before]) == []
    assert move(nodes[after], after).startswith("0 sessions found, 0 of them")
    end_grace_window(nodes[after], session.id)
    assert refreshed(nodes[after], tokens).generation == tokens.generation + 1


@BOTH_WAYS
def test_what_goes_on_meanwhile_goes_on_afterwards(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    """Copied, then rotated, begun or ended where it was; then switched, and copied again."""
    tokens, ended = newcomer(nodes[before]), newcomer(nodes[before])
    move(nodes[before], after)
    tokens = refreshed(nodes[before], tokens)
    late = newcomer(nodes[before])
    client = nodes[before].test_client()
    assert client.post(f"{API}/logout", headers=bearer(ended.access)).status_code == 204

    # Before the second run: the rule goes on from a token that is ahead of its copy.
    tokens = refreshed(nodes[after], tokens)
    move(nodes[after], after)
    assert refreshed(nodes[after], tokens).generation == tokens.generation
    assert refreshed(nodes[after], late).session_id == late.session_id
    assert is_refused(nodes[after], ended)
    reply = nodes[after].test_client().get(f"{API}/me", headers=bearer(ended.access))
    assert reply.get_json()["code"] == "token_revoked", "the snapshot knows of it here, too"


@BOTH_WAYS
def test_what_ended_on_the_new_side_does_not_come_back(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    tokens = newcomer(nodes[before])
    move(nodes[before], after)
    client = nodes[after].test_client()
    assert client.post(f"{API}/logout", headers=bearer(tokens.refresh)).status_code == 204
    for node in (nodes[before], nodes[after]):
        move(node, after)
        assert is_refused(nodes[after], tokens)


@BOTH_WAYS
def test_a_reset_on_either_side_ends_the_copies_of_both(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    """Also of one that the resetting side has never seen."""
    door = signed_in(AccountJson(nodes[before]))
    move(nodes[before], after)
    unseen = another(door)
    unseen.sign_in(ALICE)
    there = AccountJson(nodes[after])
    assert there.reset(reset_link(there)).is_fine
    assert door.refresh().code == "token_revoked"
    move(nodes[after], after)
    person = Person(nodes[after], user_id=account_of(nodes[after]).id)
    moved = stored_sessions(nodes[after])
    assert len(moved) == 3
    assert not any(map(person.is_alive, moved))


@BOTH_WAYS
def test_the_session_that_changed_the_password_moves_on(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    door = signed_in(AccountJson(nodes[before]))
    assert door.change_password().is_fine
    move(nodes[before], after)
    move(nodes[after], after)
    door.app, door.client.application = nodes[after], nodes[after]
    assert door.refresh().is_fine


@BOTH_WAYS
def test_the_further_of_two_counts_and_what_has_expired_stays(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    here = Person(nodes[before])
    there = Person(nodes[after], user_id=here.id)
    session = here.begin(generation=3, parent=2)
    here.begin(expires_at=clock.now() - timedelta(seconds=1))
    there.within(lambda: there.store.add(replace(session, generation=5, parent=4)))
    assert move(nodes[before], after).startswith("1 sessions found, 0 of them")
    assert stored_session(nodes[after], session.id).generation == 5


@BOTH_WAYS
def test_rotations_during_the_move_are_not_lost(
    nodes: dict[str, APIFlask], before: str, after: str
) -> None:
    people = [newcomer(nodes[before]) for _ in range(6)]
    is_over = threading.Event()
    failures: list[BaseException] = []

    def use(number: int) -> None:
        try:
            while not is_over.is_set():
                end_grace_window(nodes[before], people[number].session_id)
                people[number] = refreshed(nodes[before], people[number])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    give_up_at = time.monotonic() + 30
    while any(one.generation < 4 for one in people) and time.monotonic() < give_up_at:
        with nodes[before].app_context():
            flow.move_sessions(after)
    is_over.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(tokens.generation > 3 for tokens in people)
    people = [refreshed(nodes[after], tokens) for tokens in people]
    with nodes[after].app_context():
        flow.move_sessions(after)
    for tokens in people:
        assert stored_session(nodes[after], tokens.session_id).generation == tokens.generation


def test_without_redis_there_is_nowhere_to_move(app: APIFlask) -> None:
    done = app.test_cli_runner().invoke(args=("sessions", "move", "--to", "redis"))
    assert done.exit_code == 1
    assert "REDIS_URL is not set" in done.stderr
    assert redis_of(app) is None
