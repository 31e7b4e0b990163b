"""Signing out with the sessions in the database: what a test has to reach into its tables for."""

from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask

from tests.doors.probes import ALICE, bearer, create_user, execute, sign_in_by_bearer
from tests.doors_kit import Answer, Door, JsonDoor, answer_of_page
from tests.support import parts_of
from webapp import clock

ME, REFRESH = "/api/v1/auth/me", "/api/v1/auth/refresh"


@pytest.fixture(autouse=True)
def _alice(app: APIFlask) -> None:
    create_user(app)


def test_a_session_that_changed_is_asked_to_refresh_and_goes_on(app: APIFlask) -> None:
    client = app.test_client()
    tokens = sign_in_by_bearer(client)
    with time_machine.travel(clock.now() + timedelta(seconds=5)):
        now = clock.now().replace(tzinfo=None)
        execute(app, "UPDATE sessions SET changed_at = :now", now=str(now))
        parts_of(app).revocations.expect_change()
        stale = client.get(ME, headers=bearer(tokens["access_token"]))
        assert stale.get_json()["code"] == "token_expired"
        fresh = client.post(REFRESH, headers=bearer(tokens["refresh_token"])).get_json()
        assert client.get(ME, headers=bearer(fresh["access_token"])).status_code == 200


def test_while_the_store_is_down_nobody_is_told_they_are_signed_out(
    app: APIFlask, door: Door
) -> None:
    door.sign_in(ALICE)
    token = door.cookie("access_token")
    execute(app, "ALTER TABLE sessions RENAME TO gone")
    answer = door.sign_out() if isinstance(door, JsonDoor) else post_logout(door)
    assert answer.status == 503
    assert "Set-Cookie" not in answer.response.headers
    assert door.cookie("access_token") == token


def post_logout(door: Door) -> Answer:
    data = {"csrf_token": door.cookie("XSRF-TOKEN")}
    return answer_of_page(door.client.post("/logout", data=data))
