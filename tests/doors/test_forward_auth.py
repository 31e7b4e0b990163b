"""`/api/v1/auth/check`: what a proxy learns that asks before it passes a request on."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.account_kit import AccountJson, move
from tests.conftest import MakeApp
from tests.doors.probes import ALICE, bearer, create_user, execute, sign_in_by_bearer
from tests.doors.test_statements import statements
from tests.doors_kit import JsonDoor
from webapp import clock

CHECK = "/api/v1/auth/check"
HOME = {"Host": "localhost:5000"}


@pytest.fixture
def browser(app: APIFlask) -> FlaskClient:
    """Alice's browser, signed in by cookie, with a revocation snapshot that was just read."""
    create_user(app)
    door = JsonDoor(app)
    door.sign_in(ALICE)
    door.client.get(CHECK)
    return door.client


def identity(response: TestResponse) -> Mapping[str, str]:
    return {k: v for k, v in response.headers if k.startswith("X-Auth-")}


def test_it_says_who_is_signed_in(app: APIFlask, browser: FlaskClient) -> None:
    user = browser.get("/api/v1/auth/me").get_json()
    expected = {"X-Auth-User": user["id"], "X-Auth-Email": ALICE, "X-Auth-Roles": "user"}
    by_cookie = browser.get(CHECK)
    token = sign_in_by_bearer(app.test_client())["access_token"]
    by_bearer = app.test_client().get(CHECK, headers=bearer(token))
    for response in (by_cookie, by_bearer):
        assert (response.status_code, response.data) == (204, b"")
        assert identity(response) == expected
        assert response.headers["Cache-Control"] == "no-store"


def test_it_asks_no_store(app: APIFlask, browser: FlaskClient) -> None:
    with statements(app) as found:
        assert browser.get(CHECK).status_code == 204
        assert browser.get(CHECK, headers={"X-Original-Method": "POST"}).status_code == 204
        assert app.test_client().get(CHECK).status_code == 401
        assert app.test_client().get(CHECK, headers=bearer("x.y.z")).status_code == 401
    assert found == []


def test_roles_are_told_all(app: APIFlask, browser: FlaskClient) -> None:
    execute(app, "INSERT INTO user_roles (user_id, role) SELECT id, 'admin' FROM users")
    token = sign_in_by_bearer(app.test_client())["access_token"]
    response = app.test_client().get(CHECK, headers=bearer(token))
    assert set(response.headers["X-Auth-Roles"].split(",")) == {"user", "admin"}


def test_an_address_in_another_script_is_told_in_utf_8(app: APIFlask) -> None:
    email = "用户@例子.example"
    create_user(app, email)
    token = sign_in_by_bearer(app.test_client(), email)["access_token"]
    told = app.test_client().get(CHECK, headers=bearer(token)).headers["X-Auth-Email"]
    assert told.encode("latin-1").decode() == email


@pytest.mark.parametrize(("setting", "is_told"), [("optional", False), ("off", True)])
def test_an_address_that_nobody_proved_is_not_told(
    make_app: MakeApp, setting: str, is_told: bool
) -> None:
    """Who signs up with another person's address must not be that person to the service behind."""
    app = make_app(email_verification=setting)
    door = JsonDoor(app)
    assert door.sign_up(ALICE).status == 201
    assert ("X-Auth-Email" in door.client.get(CHECK).headers) is is_told


def test_a_new_address_is_told_and_the_old_one_no_more(app: APIFlask) -> None:
    door = AccountJson(app)
    door.make_account()
    door.sign_in(ALICE)
    assert door.client.get(CHECK).headers["X-Auth-Email"] == ALICE
    old = door.cookie("access_token") or ""
    with time_machine.travel(clock.now() + timedelta(seconds=2)):
        move(door, "alice@new.example")
        refused = app.test_client().get(CHECK, headers=bearer(old))
        assert (refused.status_code, refused.get_json()["code"]) == (401, "token_expired")
        assert door.client.get(CHECK).headers["X-Auth-Email"] == "alice@new.example"


def test_a_session_that_ended_is_refused(app: APIFlask, browser: FlaskClient) -> None:
    token = sign_in_by_bearer(app.test_client())["access_token"]
    assert app.test_client().post("/api/v1/auth/logout", headers=bearer(token)).status_code == 204
    response = app.test_client().get(CHECK, headers=bearer(token))
    assert (response.status_code, response.get_json()["code"]) == (401, "token_revoked")
    assert identity(response) == {}


# The way in.


def test_a_stranger_is_sent_to_sign_in_and_back(app: APIFlask) -> None:
    headers = HOME | {"X-Original-URI": "/docs/?a=1&b=2"}
    response = app.test_client().get(CHECK, headers=headers)
    assert response.status_code == 401
    assert response.headers["X-Auth-Redirect"] == (
        "http://localhost:5000/login?next=/docs/%3Fa%3D1%26b%3D2"
    )


def test_an_expired_access_token_is_sent_through_the_bounce(
    app: APIFlask, browser: FlaskClient
) -> None:
    headers = HOME | {"X-Forwarded-Uri": "/docs/"}
    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        response = browser.get(CHECK, headers=headers)
        assert response.get_json()["code"] == "token_expired"
        way = response.headers["X-Auth-Redirect"]
        assert way == "http://localhost:5000/api/v1/auth/refresh/return?next=/docs/"
        back = browser.get(way)
        assert (back.status_code, back.headers["Location"]) == (302, "/docs/")
        assert browser.get(CHECK).status_code == 204


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_way_back_is_a_local_path(app: APIFlask, target: str) -> None:
    response = app.test_client().get(CHECK, headers=HOME | {"X-Original-URI": target})
    assert response.headers["X-Auth-Redirect"] == "http://localhost:5000/login?next=/"


def test_a_site_on_another_host_gets_no_way_back(app: APIFlask) -> None:
    headers = {"X-Forwarded-Host": "wiki.example.org", "X-Forwarded-Uri": "/page"}
    response = app.test_client().get(CHECK, headers=headers)
    assert response.headers["X-Auth-Redirect"] == "http://localhost:5000/login"


def test_neither_a_form_nor_a_program_is_sent_anywhere(app: APIFlask) -> None:
    form = app.test_client().get(CHECK, headers={"X-Original-Method": "POST"})
    program = app.test_client().get(CHECK, headers=bearer("x.y.z"))
    assert [form.status_code, program.status_code] == [401, 401]
    assert not identity(form)
    assert not identity(program)


# Requests that other sites have a browser send.

CHANGING = ["POST", "PUT", "PATCH", "DELETE", "post", "PROPFIND"]
FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://sibling.localhost:5000"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://wiki.example.org"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost:5000"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://app.example.org"},
]


@pytest.mark.parametrize("name", ["X-Original-Method", "X-Forwarded-Method"])
@pytest.mark.parametrize("method", CHANGING)
def test_a_change_that_another_site_had_sent_is_refused(
    app: APIFlask, browser: FlaskClient, name: str, method: str
) -> None:
    token = sign_in_by_bearer(app.test_client())["access_token"]
    for headers in FOREIGN:
        refused = browser.get(CHECK, headers=headers | {name: method})
        assert (refused.status_code, refused.get_json()["code"]) == (403, "csrf_failed"), headers
        assert not identity(refused)
        # No site can have a browser send a bearer token.
        by_bearer = app.test_client().get(CHECK, headers=headers | {name: method} | bearer(token))
        assert by_bearer.status_code == 204
        # A link on another site leads here all right.
        assert browser.get(CHECK, headers=headers | {name: "GET"}).status_code == 204


@pytest.mark.parametrize("headers", OWN)
def test_a_change_that_the_site_itself_sends_is_let_through(
    make_app: MakeApp, headers: dict[str, str]
) -> None:
    app = make_app(cors_origins=("https://app.example.org",))
    create_user(app)
    door = JsonDoor(app)
    door.sign_in(ALICE)
    headers = headers | {"X-Original-Method": "POST"}
    assert door.client.get(CHECK, headers=headers).status_code == 204


def test_one_safe_method_does_not_cover_for_another(browser: FlaskClient) -> None:
    headers = FOREIGN[0] | {"X-Original-Method": "GET", "X-Forwarded-Method": "POST"}
    assert browser.get(CHECK, headers=headers).status_code == 403
