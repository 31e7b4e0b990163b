"""Pages whose access token has expired: through the refresh path and back, without JavaScript."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask import Blueprint, Response, jsonify, request
from werkzeug.test import TestResponse

from tests.doors.probes import (
    ALICE,
    audited,
    bearer,
    cookies_set,
    create_user,
    dump,
    execute,
    query,
)
from tests.doors_kit import PagesDoor
from tests.support import csrf_token_in
from webapp import clock
from webapp.doors.guards import signed_in

BOUNCE = "/api/v1/auth/refresh/return"
notes = Blueprint("notes", __name__)


@notes.route("/notes", methods=["GET", "POST"])
@signed_in
def write_note() -> Response:
    """Show what arrived, as a page of a room to come would."""
    return jsonify(
        method=request.method,
        query=request.args.to_dict(flat=False),
        form=request.form.to_dict(flat=False),
        files={name: file.read().decode() for name, file in request.files.items()},
    )


@pytest.fixture
def app(app: APIFlask) -> APIFlask:
    """The application with one page that takes a form."""
    app.register_blueprint(notes)
    create_user(app)
    return app


@pytest.fixture
def door(app: APIFlask) -> Iterator[PagesDoor]:
    """Alice's browser an hour after she signed in."""
    door = PagesDoor(app)
    assert door.sign_in(ALICE).is_fine
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        yield door


def send_form(door: PagesDoor, path: str, data: Callable[[], dict[str, Any]]) -> TestResponse:
    """Send a form as a browser does: at a 307, once more with all that is in it."""
    for _ in range(2):
        response = door.client.post(path, data=data())
        assert response.status_code == 307
        path = str(response.location)
    response = door.client.post(path, data=data())
    assert response.status_code == 200
    return response


def test_a_page_is_shown_after_two_redirects(door: PagesDoor) -> None:
    response = door.client.get("/account?tab=1", follow_redirects=True)
    assert response.status_code == 200
    assert [r.status_code for r in response.history] == [302, 302]
    assert (response.request.path, response.request.query_string) == ("/account", b"tab=1")
    assert ALICE in response.text
    assert door.client.get("/account").status_code == 200, "and the next page without any"


@pytest.mark.parametrize("page", ["/", "/login", "/signup"])
def test_pages_for_everybody_come_through_it_too(door: PagesDoor, page: str) -> None:
    response = door.client.get(page, follow_redirects=True)
    assert [r.status_code for r in response.history] == [302, 302, 303]
    assert response.request.path == "/account"


def test_the_bounce_rotates_once(app: APIFlask, door: PagesDoor) -> None:
    door.client.get("/account", follow_redirects=True)
    door.client.get(BOUNCE)
    assert query(app, "SELECT generation FROM sessions") == [(2,)]


def test_a_form_comes_through_whole(door: PagesDoor) -> None:
    token = csrf_token_in(door.client.get("/logout").text)
    fields = {"text": ["first", "second"], "note": ["ünï & = % +"], "csrf_token": [token]}
    response = send_form(door, "/notes?page=2", lambda: fields)
    assert response.get_json() == {
        "method": "POST",
        "query": {"page": ["2"]},
        "form": fields,
        "files": {},
    }


def test_a_form_with_a_file_comes_through_whole(door: PagesDoor) -> None:
    token = csrf_token_in(door.client.get("/logout").text)
    response = send_form(
        door, "/notes", lambda: {"csrf_token": token, "file": (BytesIO(b"its content"), "a.txt")}
    )
    assert response.get_json()["files"] == {"file": "its content"}


def test_a_form_without_the_token_is_refused_and_nothing_is_refreshed(
    app: APIFlask, door: PagesDoor
) -> None:
    before = query(app, "SELECT * FROM sessions")
    for token in ({}, {"csrf_token": "forged"}, {"csrf_token": f"{'A' * 22}.{'0' * 64}"}):
        response = door.client.post("/notes", data={"text": "x"} | token, follow_redirects=True)
        assert response.status_code == 403
        assert "Set-Cookie" not in response.headers
    assert query(app, "SELECT * FROM sessions") == before


def test_a_form_with_another_sessions_token_is_refused(app: APIFlask, door: PagesDoor) -> None:
    create_user(app, "eve@example.com")
    eve = PagesDoor(app)
    eve.sign_in("eve@example.com")
    token = csrf_token_in(eve.client.get("/logout").text)
    before = query(app, "SELECT * FROM sessions")
    for path in ("/notes", f"{BOUNCE}?next=/notes"):
        response = door.client.post(path, data={"csrf_token": token}, follow_redirects=True)
        assert response.status_code == 403
    assert query(app, "SELECT * FROM sessions") == before


def test_a_refused_form_is_told_on_a_page(door: PagesDoor) -> None:
    response = door.client.post(f"{BOUNCE}?next=/notes", data={"text": "x"})
    assert (response.status_code, response.mimetype) == (403, "text/html")


@pytest.mark.parametrize(
    "target",
    ["", "//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "evil.example", "%2f%2fevil.example"],
)  # fmt: skip
def test_a_foreign_target_becomes_the_start_page(door: PagesDoor, target: str) -> None:
    response = door.client.get(BOUNCE, query_string={"next": target})
    assert (response.status_code, response.headers["Location"]) == (302, "/")


def test_without_a_target_one_goes_to_the_start_page(door: PagesDoor) -> None:
    assert door.client.get(BOUNCE).location == "/"


def test_a_bounce_to_the_bounce_ends(door: PagesDoor) -> None:
    response = door.client.get(BOUNCE, query_string={"next": BOUNCE}, follow_redirects=True)
    assert response.status_code == 200
    assert response.request.path == "/account"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_when_the_session_is_over_the_cookies_go(
    app: APIFlask, door: PagesDoor, method: str
) -> None:
    execute(app, "UPDATE sessions SET ended_at = '2026-01-01', end_reason = 'test'")
    data = {"csrf_token": door.cookie("XSRF-TOKEN")} if method == "POST" else None
    response = door.client.open(f"{BOUNCE}?next=/account", method=method, data=data)
    assert (response.status_code, response.location) == (303, "/login?next=/account")
    cookies = cookies_set(response)
    assert cookies["access_token"].is_removal
    assert cookies["refresh_token"].is_removal
    assert cookies["refresh_token"].attributes["path"] == "/api/v1/auth/refresh"
    assert door.cookie("access_token") is None
    assert door.client.get("/account").location == "/login?next=/account"


def test_a_lone_access_cookie_leads_to_sign_in(door: PagesDoor) -> None:
    door.client.delete_cookie("refresh_token", path="/api/v1/auth/refresh")
    response = door.client.get("/account", follow_redirects=True)
    assert response.request.path == "/login"
    assert response.status_code == 200
    assert len(response.history) <= 3


def test_reuse_is_noticed_here_too(app: APIFlask, door: PagesDoor) -> None:
    execute(app, "UPDATE sessions SET generation = 9, parent = 8")
    response = door.client.get("/account", follow_redirects=True)
    assert response.request.path == "/login"
    assert "refresh_reused" in audited(app)
    assert door.cookie("access_token") is None


def test_while_the_store_is_down_the_cookies_stay(app: APIFlask, door: PagesDoor) -> None:
    door.client.get("/healthz")
    execute(app, "ALTER TABLE sessions RENAME TO gone")
    response = door.client.get(f"{BOUNCE}?next=/account")
    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert response.headers["Retry-After"]
    assert "Set-Cookie" not in response.headers
    assert f'href="{BOUNCE}?next=/account"' in response.text, "one can try again"
    execute(app, "ALTER TABLE gone RENAME TO sessions")
    response = door.client.get("/account", follow_redirects=True)
    assert response.request.path == "/account"
    assert response.status_code == 200


def test_head_changes_nothing(app: APIFlask, door: PagesDoor) -> None:
    before = dump(app)
    response = door.client.head(f"{BOUNCE}?next=/account")
    assert response.status_code < 400
    assert "Set-Cookie" not in response.headers
    door.client.head("/account", follow_redirects=True)
    assert dump(app) == before


def test_a_bearer_token_does_not_bounce_into_cookies(app: APIFlask, door: PagesDoor) -> None:
    access = door.cookie("access_token") or ""
    response = app.test_client().get("/api/v1/auth/me", headers=bearer(access))
    assert (response.status_code, response.get_json()["code"]) == (401, "token_expired")
    response = app.test_client().get(BOUNCE, headers=bearer(access))
    assert response.location == "/login?next=/"


@pytest.mark.parametrize("token", ["forged", "", "a.b.c"])
def test_what_is_no_token_of_ours_is_nobody(door: PagesDoor, token: str) -> None:
    door.client.set_cookie("access_token", token)
    response = door.client.get("/account")
    assert (response.status_code, response.location) == (303, "/login?next=/account")
