"""Requests that another site has a browser send: refused, and without any effect."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.doors.probes import (
    ALICE,
    SAFE_METHODS,
    bearer,
    create_user,
    dump,
    query,
    routes,
    sign_in_by_bearer,
)
from tests.doors_kit import JsonDoor, PagesDoor
from tests.support import PASSWORD, csrf_token_in
from webapp import clock

OURS = "http://localhost:5000"
CROSS_SITE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:5001"},
    {"Origin": "https://localhost:5000"},
    {"Origin": "http://localhost:5000.evil.example"},
    {"Origin": "http://["},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
]
BODY = {"email": ALICE, "password": PASSWORD, "name": "Eve", "token": "x", "refresh_token": "x"}


@pytest.fixture
def door(app: APIFlask) -> JsonDoor:
    """Alice's browser, signed in."""
    create_user(app)
    door = JsonDoor(app)
    assert door.sign_in(ALICE).is_fine
    return door


@pytest.fixture
def untouched(app: APIFlask, door: JsonDoor) -> Iterator[None]:
    """Nothing in any table changes between here and the end of the test."""
    before = dump(app)
    yield
    assert dump(app) == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
@pytest.mark.parametrize("who", ["signed in", "nobody"])
def test_every_changing_route_refuses_other_sites(
    app: APIFlask, door: JsonDoor, headers: dict[str, str], who: str
) -> None:
    client = door.client if who == "signed in" else app.test_client()
    token = door.cookie("XSRF-TOKEN") or ""
    tried = 0
    for path, method in routes(app):
        # Apple posts its reply from its own site; all that comes of it is a redirect to a GET.
        if method in SAFE_METHODS or path.endswith("/callback"):
            continue
        tried += 1
        headers = headers | {"X-XSRF-TOKEN": token}
        for response in (
            client.open(path, method=method, headers=headers, json=BODY),
            client.open(path, method=method, headers=headers, data=BODY | {"csrf_token": token}),
        ):
            assert response.status_code == 403, (method, path)
            if response.mimetype == "application/problem+json":
                assert response.get_json()["code"] == "csrf_failed"
            assert "Set-Cookie" not in response.headers
    assert tried >= 12


def test_our_own_pages_are_let_through(door: JsonDoor) -> None:
    for headers in (
        {"Origin": OURS},
        {"Origin": OURS, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ):
        headers |= {"X-XSRF-TOKEN": door.cookie("XSRF-TOKEN") or ""}
        response = door.client.patch("/api/v1/auth/me", json={"name": "A"}, headers=headers)
        assert response.status_code == 200, headers


def test_development_is_opened_by_number_too_and_production_is_not(make_app: MakeApp) -> None:
    headers = {"Origin": "http://127.0.0.1:5000"}
    body = {"email": ALICE, "password": PASSWORD}
    development = make_app().test_client()
    production = make_app(
        app_env="production", base_url="https://id.example.org", bcrypt_cost=10
    ).test_client()
    path = "/api/v1/auth/login"
    assert development.post(path, json=body, headers=headers).status_code == 401
    assert production.post(path, json=body, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/v1/auth/me", {"name": "Eve"}),
        ("POST", "/api/v1/auth/refresh", None),
        ("POST", "/api/v1/auth/logout", None),
    ],
)
def test_cookies_alone_change_nothing(
    app: APIFlask, door: JsonDoor, method: str, path: str, body: object
) -> None:
    create_user(app, "eve@example.com")
    eve = JsonDoor(app)
    eve.sign_in("eve@example.com")
    theirs = eve.cookie("XSRF-TOKEN") or ""
    nobodys = csrf_token_in(app.test_client().get("/login").text)
    ours = door.cookie("XSRF-TOKEN") or ""
    before = dump(app)
    forged = [None, "", "x", theirs, nobodys, ours[:-1], ours.upper(), f"{ours}x", "é", "A" * 3000]
    for token in forged:
        if token is not None:
            door.client.set_cookie("XSRF-TOKEN", token)
        headers = {} if token is None else {"X-XSRF-TOKEN": token}
        response = door.client.open(path, method=method, json=body, headers=headers)
        assert (response.status_code, response.get_json()["code"]) == (403, "csrf_failed"), token
        assert "Set-Cookie" not in response.headers
    assert dump(app) == before


def test_the_token_of_the_session_is_taken(door: JsonDoor) -> None:
    assert door.post("me", {"name": "Alice"}, method="PATCH").is_fine
    assert door.refresh().is_fine
    assert door.sign_out().is_fine


def test_the_token_of_the_session_before_is_not_taken(door: JsonDoor) -> None:
    old = door.cookie("XSRF-TOKEN") or ""
    door.sign_in(ALICE)
    response = door.client.patch(
        "/api/v1/auth/me", json={"name": "Eve"}, headers={"X-XSRF-TOKEN": old}
    )
    assert response.status_code == 403


def test_a_page_that_lost_its_token_gets_a_new_one(door: JsonDoor) -> None:
    door.client.delete_cookie("XSRF-TOKEN")
    door.client.get("/api/v1/auth/me")
    assert door.post("me", {"name": "Alice"}, method="PATCH").is_fine


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=2), timedelta(days=60)])
def test_public_routes_need_no_token_whatever_old_cookies_come(
    app: APIFlask, door: JsonDoor, age: timedelta
) -> None:
    create_user(app, "bob@example.com")
    door.client.delete_cookie("XSRF-TOKEN")
    public = {
        "signup": ({"email": "new@example.com", "password": PASSWORD}, 202),
        "email/verify": ({"token": "x"}, 400),
        "email/verify/resend": ({"email": ALICE}, 202),
        "login": ({"email": "bob@example.com", "password": PASSWORD}, 200),
    }
    with time_machine.travel(clock.now() + age):
        for path, (body, status) in public.items():
            response = door.client.post(f"/api/v1/auth/{path}", json=body)
            assert response.status_code == status, path


def test_a_bearer_token_needs_none(app: APIFlask, door: JsonDoor) -> None:
    tokens = sign_in_by_bearer(app.test_client())
    headers = bearer(tokens["access_token"])
    response = door.client.patch("/api/v1/auth/me", json={"name": "A"}, headers=headers)
    assert response.status_code == 200
    response = door.client.post("/api/v1/auth/refresh", headers=bearer(tokens["refresh_token"]))
    assert response.status_code == 200
    assert door.client.post("/api/v1/auth/logout", headers=headers).status_code == 204
    assert door.who_am_i() == ALICE


@pytest.mark.parametrize(
    ("page", "to", "fields"),
    [
        ("/signup", "/signup", {"email": "new@example.com", "password": PASSWORD}),
        ("/login", "/login", {"email": ALICE, "password": PASSWORD}),
        ("/verify-email", "/verify-email/resend", {"email": ALICE}),
        ("/verify-email", "/verify-email", {"token": "x"}),
    ],
)
def test_a_form_needs_the_token_of_this_browser(
    app: APIFlask, door: JsonDoor, page: str, to: str, fields: dict[str, str]
) -> None:
    browser, another = app.test_client(), app.test_client()
    theirs = csrf_token_in(another.get(page).text)
    ours = csrf_token_in(browser.get(page).text)
    before = dump(app)
    sessions = door.cookie("XSRF-TOKEN") or ""
    for token in (None, "", "x", theirs, sessions, ours[:-1], "é" * 87):
        data = fields if token is None else fields | {"csrf_token": token}
        response = browser.post(to, data=data)
        assert response.status_code == 403, token
        assert response.mimetype == "text/html"
        assert "access_token" not in response.headers.get("Set-Cookie", "")
    assert dump(app) == before
    assert app.test_client().post(to, data=fields | {"csrf_token": ours}).status_code == 403


@pytest.mark.usefixtures("untouched")
def test_signing_out_on_a_page_needs_the_token(app: APIFlask, door: JsonDoor) -> None:
    for data in ({}, {"csrf_token": csrf_token_in(app.test_client().get("/logout").text)}):
        response = door.client.post("/logout", data=data)
        assert (response.status_code, response.mimetype) == (403, "text/html")
        assert "Set-Cookie" not in response.headers


def test_a_form_that_was_open_in_another_tab_can_still_be_sent(app: APIFlask) -> None:
    create_user(app)
    door = PagesDoor(app)
    token = csrf_token_in(door.client.get("/login").text)
    door.sign_in(ALICE)
    door.sign_out()
    data = {"email": ALICE, "password": PASSWORD, "csrf_token": token}
    assert door.client.post("/login", data=data).status_code == 303


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "text/json", "application/xml", "", "application/octet-stream", "text/plain;application/json"],
)  # fmt: skip
def test_json_routes_take_nothing_but_json(
    app: APIFlask, door: JsonDoor, content_type: str
) -> None:
    for path, method in routes(app, under="/api/v1/"):
        if method in SAFE_METHODS or path.endswith("/return"):
            continue
        response = door.client.open(
            path,
            method=method,
            data=b'{"email": "new@example.com", "password": "correct horse 17", "name": "E"}',
            headers={"Content-Type": content_type, "X-XSRF-TOKEN": door.cookie("XSRF-TOKEN") or ""},
        )
        assert (response.status_code, response.get_json()["code"]) == (
            415,
            "unsupported_media_type",
        ), (method, path)


def test_get_and_head_change_nothing(app: APIFlask, door: JsonDoor) -> None:
    door.another_browser().sign_up("new@example.com")
    token = door.mailed_token("new@example.com")
    before = dump(app)
    for client in (door.client, app.test_client()):
        for path, method in routes(app):
            if method not in SAFE_METHODS or (path.endswith("/return") and method == "GET"):
                continue
            for target in (path, f"{path}?token={token}&email={ALICE}&answer=remove&next=/"):
                with client.open(target, method=method) as response:
                    assert response.status_code < 500, (method, target)
    assert dump(app) == before
    assert query(app, "SELECT ended_at FROM sessions") == [(None,)]
