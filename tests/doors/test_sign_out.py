"""Signing out: of one session, everywhere and at once."""

import time
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.doors.probes import (
    ALICE,
    audited,
    bearer,
    cookies_set,
    create_user,
    disable_user,
    routes,
    sign_in_by_bearer,
)
from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.redis_kit import on_each_session_store, stored_sessions
from tests.support import parts_of
from webapp import clock

pytestmark = on_each_session_store

ME, LOGOUT, REFRESH = "/api/v1/auth/me", "/api/v1/auth/logout", "/api/v1/auth/refresh"


@pytest.fixture(autouse=True)
def _alice(app: APIFlask) -> None:
    create_user(app)


def code_with(client: FlaskClient, token: str) -> str:
    """Return how an access token is answered."""
    response = client.get(ME, headers=bearer(token))
    return "fine" if response.status_code == 200 else str(response.get_json()["code"])


def test_the_session_ends_and_the_cookies_go(app: APIFlask, door: Door) -> None:
    door.sign_in(ALICE)
    token = door.cookie("access_token") or ""
    assert door.who_am_i() == ALICE
    cookies = cookies_set(door.sign_out().response)
    assert cookies["access_token"].is_removal
    assert cookies["refresh_token"].is_removal
    assert door.who_am_i() is None
    assert code_with(app.test_client(), token) == "token_revoked"
    assert [session.end_reason for session in stored_sessions(app)] == ["signed_out"]
    assert audited(app)[-1] == "signed_out"


def test_a_page_asks_before_it_signs_out(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_in(ALICE)
    assert "Sign out" in door.client.get("/logout").text
    assert door.who_am_i() == ALICE
    response = door.sign_out().response
    assert (response.status_code, response.location) == (303, "/login?notice=signed_out")
    assert "You are signed out" in door.client.get(response.location).text


def test_an_expired_access_token_will_do(app: APIFlask, door: Door) -> None:
    door.sign_in(ALICE)
    with time_machine.travel(clock.now() + timedelta(days=3)):
        assert door.sign_out().is_fine
    assert [session.end_reason for session in stored_sessions(app)] == ["signed_out"]


def test_nobody_can_sign_out_too(app: APIFlask, door: Door) -> None:
    answer = door.sign_out()
    assert answer.status in (204, 303)
    assert cookies_set(answer.response)["access_token"].is_removal
    assert audited(app) == ["user_created"]


def test_signing_out_twice_is_signing_out_once(app: APIFlask, door: Door) -> None:
    door.sign_in(ALICE)
    assert door.sign_out().is_fine
    assert door.sign_out().is_fine
    assert audited(app).count("signed_out") == 1


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("place", ["header", "body"])
@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=1)], ids=["fresh", "expired"])
def test_a_token_of_the_session_ends_it(
    app: APIFlask, kind: str, place: str, age: timedelta
) -> None:
    client = app.test_client()
    tokens = sign_in_by_bearer(client)
    token = tokens[f"{kind}_token"]
    with time_machine.travel(clock.now() + age):
        if place == "header":
            response = client.post(LOGOUT, headers=bearer(token))
        else:
            response = client.post(LOGOUT, json={"refresh_token": token})
        assert response.status_code == 204
        assert "Set-Cookie" not in response.headers
        refreshed = client.post(REFRESH, headers=bearer(tokens["refresh_token"]))
    assert refreshed.get_json()["code"] == "token_revoked"


def test_a_used_up_refresh_token_signs_out_too(app: APIFlask) -> None:
    client = app.test_client()
    token = sign_in_by_bearer(client)["refresh_token"]
    client.post(REFRESH, headers=bearer(token))
    assert client.post(LOGOUT, headers=bearer(token)).status_code == 204
    assert [session.end_reason for session in stored_sessions(app)] == ["signed_out"]


def test_a_header_ends_its_own_session_and_not_the_browsers(app: APIFlask) -> None:
    door = JsonDoor(app)
    door.sign_in(ALICE)
    token = sign_in_by_bearer(app.test_client())["access_token"]
    assert door.client.post(LOGOUT, headers=bearer(token)).status_code == 204
    assert code_with(app.test_client(), token) == "token_revoked"
    assert door.who_am_i() == ALICE


def test_the_other_devices_stay_signed_in(every_door: Door) -> None:
    other = every_door.another_browser()
    every_door.sign_in(ALICE)
    other.sign_in(ALICE)
    every_door.sign_out()
    assert other.who_am_i() == ALICE


def test_the_other_tab_is_signed_out_with_it(app: APIFlask) -> None:
    pages = PagesDoor(app)
    pages.sign_in(ALICE)
    tab = JsonDoor(app)
    tab.client = pages.client
    xsrf = {"X-XSRF-TOKEN": tab.cookie("XSRF-TOKEN") or ""}
    refresh = tab.cookie("refresh_token", REFRESH) or ""
    pages.sign_out()
    assert tab.who_am_i() is None
    client = app.test_client()
    client.set_cookie("refresh_token", refresh, path=REFRESH)
    client.set_cookie("XSRF-TOKEN", xsrf["X-XSRF-TOKEN"])
    response = client.post(REFRESH, headers=xsrf)
    assert (response.status_code, response.get_json()["code"]) == (401, "token_revoked")
    assert "Set-Cookie" not in response.headers


def test_every_process_hears_of_it_within_a_second(app: APIFlask, make_app: MakeApp) -> None:
    here, there = app.test_client(), make_app().test_client()
    token = sign_in_by_bearer(here)["access_token"]
    assert [code_with(client, token) for client in (here, there)] == ["fine"] * 2
    here.post(LOGOUT, headers=bearer(token))
    assert code_with(here, token) == "token_revoked"
    assert heard_within(there, token, 1.2) == "token_revoked"


def test_a_disabled_person_is_out_everywhere_within_a_second(
    app: APIFlask, make_app: MakeApp
) -> None:
    there = make_app().test_client()
    tokens = [sign_in_by_bearer(there)["access_token"] for _ in range(2)]
    assert [code_with(there, token) for token in tokens] == ["fine"] * 2
    disable_user(app)
    assert [heard_within(there, token, 1.2) for token in tokens] == ["token_revoked"] * 2


def forgetful(app: APIFlask) -> FlaskClient:
    """Return a client of the application as it is when its snapshot is due again."""
    parts_of(app).revocations.expect_change()
    return app.test_client()


def heard_within(client: FlaskClient, token: str, seconds: float) -> str:
    """Ask again and again until the answer is no longer fine, or the time is over."""
    give_up_at = time.monotonic() + seconds
    while (code := code_with(client, token)) == "fine" and time.monotonic() < give_up_at:
        time.sleep(0.05)
    return code


def test_every_page_of_ones_own_leads_to_it(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_in(ALICE)
    shown = []
    for path, method in routes(app):
        if method != "GET" or path.startswith(("/api/", "/static/")):
            continue
        if not str(app.test_client().get(path).location).startswith("/login?next="):
            continue
        response = door.client.get(path)
        if response.status_code == 200 and response.mimetype == "text/html":
            assert 'href="/logout"' in response.text, path
            shown.append(path)
    assert {"/account", "/account/security", "/account/devices", "/account/delete"} <= set(shown)
