"""Refreshing over GraphQL: it moves nothing on, beside doors that do."""

from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, BOB, audited, bearer, create_user, execute, mailed, query
from tests.doors.test_statements import statements, within
from tests.graphql_kit import LOGIN, LOGOUT, ME, REFRESH, GraphqlDoor, code_of
from tests.support import PASSWORD
from webapp import clock

LATER = timedelta(seconds=31)
STATE = "SELECT generation, parent, rotated_at, last_used_at, expires_at, ended_at FROM sessions"


@pytest.fixture
def door(app: APIFlask) -> GraphqlDoor:
    """Alice, signed in."""
    create_user(app)
    door = GraphqlDoor(app)
    assert door.sign_in(ALICE).is_fine
    return door


def rotate(app: APIFlask, token: str) -> str:
    """Rotate over JSON, and return the successor."""
    response = app.test_client().post("/api/v1/auth/refresh", headers=bearer(token))
    assert response.status_code == 200, response.text
    return str(response.get_json()["refresh_token"])


def renew(door: GraphqlDoor, token: str) -> TestResponse:
    return door.ask(REFRESH, token)


def is_renewed(response: TestResponse) -> bool:
    return "errors" not in response.get_json()


def test_it_writes_nothing_however_often(app: APIFlask, door: GraphqlDoor) -> None:
    before = query(app, STATE)
    for minutes in (0, 1, 60, 24 * 60):
        with time_machine.travel(clock.now() + timedelta(minutes=minutes)):
            response = renew(door, door.refresh_token)
            renewed = response.get_json()["data"]["refresh"]
            assert door.ask(ME, renewed).get_json()["data"]["me"]["email"] == ALICE
    assert query(app, STATE) == before


def test_it_does_not_prolong(door: GraphqlDoor) -> None:
    with time_machine.travel(clock.now() + timedelta(days=29)):
        assert is_renewed(renew(door, door.refresh_token))
    with time_machine.travel(clock.now() + timedelta(days=30, minutes=1)):
        assert code_of(renew(door, door.refresh_token)) == "token_expired"


def test_the_access_token_ends_with_its_session(door: GraphqlDoor) -> None:
    with time_machine.travel(clock.now() + timedelta(days=30, minutes=-5)):
        renewed = renew(door, door.refresh_token).get_json()["data"]["refresh"]
        with time_machine.travel(clock.now() + timedelta(minutes=6)):
            assert code_of(door.ask(ME, renewed)) == "token_expired"


@pytest.mark.parametrize("age", [timedelta(0), LATER, timedelta(days=1)])
def test_the_current_generation_and_its_parent_are_taken(
    app: APIFlask, door: GraphqlDoor, age: timedelta
) -> None:
    parent = door.refresh_token
    current = rotate(app, parent)
    before = query(app, STATE)
    with time_machine.travel(clock.now() + age):
        for token in (parent, current, parent):
            assert is_renewed(renew(door, token))
    assert query(app, STATE) == before


def test_an_older_generation_ends_the_family(app: APIFlask, door: GraphqlDoor) -> None:
    oldest = door.refresh_token
    parent = rotate(app, oldest)
    with time_machine.travel(clock.now() + LATER):
        current = rotate(app, parent)
        response = renew(door, oldest)
        assert (response.status_code, code_of(response)) == (200, "refresh_reused")
        assert response.get_json()["data"] is None
        for token in (oldest, parent, current):
            assert code_of(renew(door, token)) == "token_revoked"
        other = app.test_client().post("/api/v1/auth/refresh", headers=bearer(current))
        assert other.get_json()["code"] == "token_revoked"
        assert code_of(door.ask(ME, door.access_token)) == "token_revoked"
    assert audited(app)[-1] == "refresh_reused"
    assert mailed(app)[-1] == "refresh_reused"
    assert query(app, "SELECT end_reason FROM sessions") == [("refresh_reused",)]


def test_renewing_with_the_parent_does_not_kill_the_successor(
    app: APIFlask, door: GraphqlDoor
) -> None:
    parent = door.refresh_token
    current = rotate(app, parent)
    with time_machine.travel(clock.now() + LATER):
        assert is_renewed(renew(door, parent))
        assert rotate(app, current)
        assert code_of(renew(door, parent)) == "refresh_reused"


def test_renewing_opens_no_grace_window(app: APIFlask, door: GraphqlDoor) -> None:
    """Else a client that renews now and then would keep the other doors from rotating."""
    first = door.refresh_token
    second = rotate(app, first)
    with time_machine.travel(clock.now() + LATER):
        assert is_renewed(renew(door, second))
        third = rotate(app, second)
        assert query(app, "SELECT generation FROM sessions") == [(3,)]
        assert is_renewed(renew(door, third))


def test_strict_rotation_takes_the_parent_for_reuse(make_app: MakeApp) -> None:
    app = make_app(graphql=True, refresh_grace="0")
    create_user(app)
    door = GraphqlDoor(app)
    door.sign_in(ALICE)
    for _ in range(3):
        assert is_renewed(renew(door, door.refresh_token))
    current = rotate(app, door.refresh_token)
    assert is_renewed(renew(door, current))
    assert code_of(renew(door, door.refresh_token)) == "refresh_reused"
    assert code_of(renew(door, current)) == "token_revoked"


def test_a_store_that_lost_writes_still_takes_the_newest(app: APIFlask, door: GraphqlDoor) -> None:
    newest = rotate(app, door.refresh_token)
    execute(app, "UPDATE sessions SET generation = 1, parent = NULL, rotated_at = NULL")
    assert is_renewed(renew(door, newest))
    assert query(app, "SELECT generation FROM sessions") == [(1,)]
    assert rotate(app, newest)
    assert query(app, "SELECT generation FROM sessions") == [(3,)]


def test_signing_out_with_any_generation_ends_it(app: APIFlask, door: GraphqlDoor) -> None:
    current = rotate(app, door.refresh_token)
    assert door.ask(LOGOUT, door.refresh_token).get_json()["data"] == {"logout": True}
    assert code_of(renew(door, current)) == "token_revoked"


def test_how_many_statements_it_takes(app: APIFlask, door: GraphqlDoor) -> None:
    door.ask(ME, door.access_token)  # The revocation snapshot is read by now.
    for most, document, token in (
        (1, REFRESH, door.refresh_token),
        (1, ME, door.access_token),
    ):
        with statements(app) as found:
            assert "errors" not in door.ask(document, token).get_json()
        assert len(found) == most, found
    with statements(app) as found:
        assert "errors" not in door.ask(LOGOUT, door.refresh_token).get_json()
    assert len(within(found)) == 2, found
    create_user(app, BOB)
    with statements(app) as found:
        assert door.ask(LOGIN, email=BOB, password=PASSWORD).status_code == 200
    assert len(within(found)) <= 4, found
