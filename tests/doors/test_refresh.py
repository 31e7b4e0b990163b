"""The refresh rule over HTTP: by cookie, by header and in the body."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.doors.probes import (
    ALICE,
    audited,
    bearer,
    cookies_set,
    create_user,
    execute,
    mailed,
    sign_in_by_bearer,
)
from tests.doors_kit import JsonDoor
from tests.redis_kit import change_session, delete_sessions, on_each_session_store, stored_sessions
from webapp import clock

pytestmark = on_each_session_store

PATH = "/api/v1/auth/refresh"
LATER = timedelta(seconds=31)


@dataclass
class Holder:
    """Somebody who holds one refresh token, and the way in which they present it."""

    app: APIFlask
    how: str
    token: str
    xsrf: str

    def copy(self) -> "Holder":
        """Return a thief's copy, or another tab."""
        return Holder(self.app, self.how, self.token, self.xsrf)

    def present(self, token: str | None = None) -> TestResponse:
        """Present a token; what comes back replaces the one held."""
        client, token = self.app.test_client(), token or self.token
        if self.how == "header":
            response = client.post(PATH, headers=bearer(token))
        elif self.how == "body":
            response = client.post(PATH, json={"refresh_token": token})
        else:
            response = self._by_cookie(client, token)
        if response.status_code == 200:
            self.token = token_of(response)
        return response

    def _by_cookie(self, client: FlaskClient, token: str) -> TestResponse:
        client.set_cookie("refresh_token", token, path=PATH)
        client.set_cookie("XSRF-TOKEN", self.xsrf)
        return client.post(PATH, headers={"X-XSRF-TOKEN": self.xsrf})


def token_of(response: TestResponse) -> str:
    """Return the refresh token of a reply, wherever it stands."""
    cookies = cookies_set(response)
    if "refresh_token" in cookies:
        return cookies["refresh_token"].value
    return str(response.get_json()["refresh_token"])


def code_of(response: TestResponse) -> str:
    return str(response.get_json()["code"])


def hold(app: APIFlask, how: str) -> Holder:
    """Sign Alice in and hold her refresh token."""
    if how == "cookie":
        door = JsonDoor(app)
        assert door.sign_in(ALICE).is_fine
        return Holder(
            app, how, door.cookie("refresh_token", PATH) or "", door.cookie("XSRF-TOKEN") or ""
        )
    return Holder(app, how, sign_in_by_bearer(app.test_client())["refresh_token"], "")


@pytest.fixture(params=["cookie", "header", "body"])
def holder(request: pytest.FixtureRequest, app: APIFlask) -> Holder:
    """Alice's refresh token, presented in each way in turn."""
    create_user(app)
    return hold(app, request.param)


def stands_at(app: APIFlask) -> tuple[int, int | None]:
    """Return the session's generation and parent."""
    (session,) = stored_sessions(app)
    return session.generation, session.parent


def session_id_of(app: APIFlask) -> str:
    (session,) = stored_sessions(app)
    return session.id


@pytest.fixture
def later() -> Callable[[timedelta], time_machine.travel]:
    """Move on from the moment at which the test began."""
    began = clock.now()
    return lambda by: time_machine.travel(began + by)


Later = Callable[[timedelta], time_machine.travel]


def test_current_outside_the_window_rotates(holder: Holder) -> None:
    first = holder.token
    assert holder.present().status_code == 200
    assert holder.token != first
    assert stands_at(holder.app) == (2, 1)


def test_current_inside_the_window_is_repeated(holder: Holder) -> None:
    holder.present()
    before = stored_sessions(holder.app)
    assert holder.present().status_code == 200
    assert holder.present().status_code == 200
    assert stored_sessions(holder.app) == before


def test_parent_inside_the_window_gets_the_same_successor(holder: Holder) -> None:
    tab = holder.copy()
    holder.present()
    assert tab.present().status_code == 200
    assert stands_at(holder.app) == (2, 1)


def test_current_after_the_window_rotates_again(holder: Holder, later: Later) -> None:
    holder.present()
    with later(LATER):
        assert holder.present().status_code == 200
        assert stands_at(holder.app) == (3, 2)


def test_parent_after_the_window_recovers_a_lost_reply(holder: Holder, later: Later) -> None:
    lost = holder.copy()
    lost.present()
    with later(LATER):
        assert holder.present().status_code == 200
        assert stands_at(holder.app) == (3, 1)


def test_after_a_recovery_the_generation_that_never_arrived_is_dead(
    holder: Holder, later: Later
) -> None:
    lost = holder.copy()
    lost.present()
    with later(LATER):
        holder.present()
        assert code_of(lost.present()) == "refresh_reused"
        assert code_of(holder.present()) == "token_revoked"


def test_an_older_one_is_reuse_and_ends_the_session(holder: Holder, later: Later) -> None:
    thief = holder.copy()
    holder.present()
    with later(LATER):
        holder.present()
        response = thief.present()
        assert (response.status_code, code_of(response)) == (401, "refresh_reused")
        assert response.headers["WWW-Authenticate"] == (
            'Bearer realm="Latchkey", error="invalid_token"'
        )
        assert "Set-Cookie" not in response.headers
        assert code_of(holder.present()) == "token_revoked"


def test_reuse_is_committed_audited_once_and_mailed_once(holder: Holder, later: Later) -> None:
    thief, app = holder.copy(), holder.app
    holder.present()
    with later(LATER):
        holder.present()
        thief.present()
        thief.present()
    assert [session.end_reason for session in stored_sessions(app)] == ["refresh_reused"]
    assert audited(app).count("refresh_reused") == 1
    assert mailed(app) == ["refresh_reused"]


def test_reuse_ends_the_access_token_too(holder: Holder) -> None:
    response = holder.present()
    cookie = cookies_set(response).get("access_token")
    access = cookie.value if cookie else response.get_json()["access_token"]
    change_session(holder.app, session_id_of(holder.app), generation=5, parent=4)
    assert code_of(holder.present()) == "refresh_reused"
    response = holder.app.test_client().get("/api/v1/auth/me", headers=bearer(access))
    assert (response.status_code, code_of(response)) == (401, "token_revoked")


def test_a_newer_one_goes_on_from_where_the_store_lost_writes(holder: Holder, later: Later) -> None:
    holder.present()
    with later(LATER):
        holder.present()
        lost = {"generation": 1, "parent": None, "rotated_at": None}
        change_session(holder.app, session_id_of(holder.app), **lost)
        assert holder.present().status_code == 200
    assert stands_at(holder.app) == (4, 3)
    assert "session_fast_forwarded" in audited(holder.app)


def test_nobody_is_told_of_another_ones_session(holder: Holder) -> None:
    delete_sessions(holder.app)
    response = holder.present()
    assert (response.status_code, code_of(response)) == (401, "token_revoked")


def test_a_disabled_person_cannot_refresh(holder: Holder) -> None:
    execute(holder.app, "UPDATE users SET disabled_at = '2026-01-01'")
    assert code_of(holder.present()) == "token_revoked"


def test_a_token_comes_back_in_the_way_that_it_came(holder: Holder) -> None:
    response = holder.present()
    reply = response.get_json()
    if holder.how == "cookie":
        assert reply.keys() == {"token_type", "expires_in", "user"}
        assert {"access_token", "refresh_token", "XSRF-TOKEN"} <= cookies_set(response).keys()
    else:
        assert reply["token_type"] == "Bearer"
        assert {"access_token", "refresh_token", "refresh_expires_in"} <= reply.keys()
        assert "Set-Cookie" not in response.headers


def test_every_refusal_leaves_the_cookies_alone(holder: Holder, later: Later) -> None:
    for token in ("x", "a.b.c", holder.token[:-2], holder.token + "x"):
        response = holder.present(token)
        assert (response.status_code, code_of(response)) == (401, "token_invalid")
        assert "Set-Cookie" not in response.headers
    with later(timedelta(days=31)):
        response = holder.present()
        assert (response.status_code, code_of(response)) == (401, "token_expired")
        assert "Set-Cookie" not in response.headers


def test_strict_rotation_takes_each_token_once(make_app: MakeApp) -> None:
    app = make_app(refresh_grace=0)
    create_user(app)
    for how in ("cookie", "header", "body"):
        holder = hold(app, how)
        tab = holder.copy()
        assert holder.present().status_code == 200
        assert holder.present().status_code == 200
        assert code_of(tab.present()) == "refresh_reused"
        assert code_of(holder.present()) == "token_revoked"


def test_the_window_is_a_setting(make_app: MakeApp, later: Later) -> None:
    app = make_app(refresh_grace=300)
    create_user(app)
    holder = hold(app, "body")
    tab = holder.copy()
    holder.present()
    with later(timedelta(seconds=290)):
        tab.present()
        assert stands_at(app) == (2, 1)


def test_a_session_that_is_not_used_ends(holder: Holder, later: Later) -> None:
    with later(timedelta(days=29)):
        assert holder.present().status_code == 200
    with later(timedelta(days=58)):
        assert holder.present().status_code == 200
    with later(timedelta(days=88, seconds=1)):
        assert code_of(holder.present()) == "token_expired"


def test_a_session_ends_however_often_it_is_used(holder: Holder, later: Later) -> None:
    for days in (25, 50, 75, 89):
        with later(timedelta(days=days)):
            assert holder.present().status_code == 200
    with later(timedelta(days=90, seconds=1)):
        assert code_of(holder.present()) == "token_expired"


def test_no_token_outlives_its_session(app: APIFlask, later: Later) -> None:
    create_user(app)
    holder = hold(app, "body")
    for days in (25, 50, 75):
        with later(timedelta(days=days)):
            holder.present()
    with later(timedelta(days=90) - timedelta(minutes=5)):
        reply = holder.present().get_json()
    # The test began a moment before its session.
    assert 0 < reply["expires_in"] <= 330
    assert 0 < reply["refresh_expires_in"] <= 330
