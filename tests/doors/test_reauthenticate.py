"""Showing the password again before something that matters."""

import re
from html import unescape
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.account_kit import ALICE, AccountJson, AccountPages, later, mails, signed_in
from tests.conftest import MakeApp
from tests.support import PASSWORD, csrf_token_in
from webapp.services import tokens

WRONG = "not my password"
NEEDS_A_RECENT_SIGN_IN: list[tuple[str, str, dict[str, str]]] = [
    ("POST", "password/change", {"current_password": PASSWORD, "new_password": "another horse 1"}),
    ("POST", "email/change", {"email": "new@example.com", "password": PASSWORD}),
    ("DELETE", "me", {"password": PASSWORD}),
]


@pytest.mark.parametrize(("method", "path", "body"), NEEDS_A_RECENT_SIGN_IN)
def test_json_says_that_the_sign_in_is_too_old(
    app: APIFlask, method: str, path: str, body: dict[str, str]
) -> None:
    door = signed_in(AccountJson(app))
    with later(minutes=11):
        answer = door.post(path, body, method)
        assert (answer.status, answer.code) == (401, "reauthentication_required")
        assert door.reauthenticate().is_fine
        assert door.post(path, body, method).is_fine


@pytest.mark.parametrize(
    "page", ["/account/security/password", "/account/security/email", "/account/delete"]
)
def test_pages_ask_for_the_password_and_go_on(app: APIFlask, page: str) -> None:
    door = signed_in(AccountPages(app))
    with later(minutes=11):
        asked = door.client.get(page)
        assert asked.headers["Location"] == f"/reauthenticate?next={page}"
        answer = door.submit(asked.headers["Location"], present_password=PASSWORD)
        assert (answer.status, answer.response.headers["Location"]) == (303, page)
        assert door.client.get(page).status_code == 200


def test_a_form_that_was_open_for_too_long_goes_on_with_its_values(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    page = door.client.get("/account/security/email")
    form = {"email": "new@example.com", "csrf_token": csrf_token_in(page.text)}
    with later(minutes=11):
        asked = _send(door, "/account/security/email", form)
        assert asked.request.path == "/reauthenticate"
        done = _answer(door, asked, PASSWORD)
        assert done.request.full_path == "/account/security?notice=email_requested"
    assert mails(app, "new@example.com", "email_change")


def test_a_wrong_password_keeps_the_values_of_the_form(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    page = door.client.get("/account/security/email")
    form = {"email": "new@example.com", "csrf_token": csrf_token_in(page.text)}
    with later(minutes=11):
        asked = _send(door, "/account/security/email", form)
        refused = _answer(door, asked, WRONG)
        assert refused.status_code == 422
        assert 'id="present_password-error"' in refused.text
        assert _answer(door, refused, PASSWORD).request.path == "/account/security"


def test_passwords_of_a_form_do_not_wait_in_the_page(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    page = door.client.get("/account/security/password")
    form = {
        "current_password": PASSWORD,
        "new_password": "another horse 18",
        "csrf_token": csrf_token_in(page.text),
    }
    with later(minutes=11):
        asked = _send(door, "/account/security/password", form)
        assert asked.request.path == "/reauthenticate"
        assert "horse" not in asked.text
        shown = _answer(door, asked, PASSWORD)
    # The form is back, empty, for both to be typed again.
    assert (shown.request.path, shown.status_code) == ("/account/security/password", 422)
    assert door.another_browser().sign_in(ALICE).is_fine


def test_going_on_leads_to_local_pages_alone(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = door.submit(f"/reauthenticate?next={target}", present_password=PASSWORD)
        assert answer.response.headers["Location"] == "/account"


def test_by_cookie_the_new_access_token_comes_by_cookie(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    old = door.cookie("access_token")
    response = door.reauthenticate().response
    assert "access_token" not in response.get_json()
    assert "refresh_token" not in response.get_json()
    assert response.get_json()["token_type"] == "cookie"
    set_names = {line.partition("=")[0] for line in response.headers.getlist("Set-Cookie")}
    assert set_names == {"access_token"}
    assert door.cookie("access_token") != old


def test_by_bearer_the_new_access_token_comes_in_the_body(app: APIFlask) -> None:
    AccountJson(app).make_account()
    response = _reauthenticate(app, _bearer(app)["access_token"])
    assert not response.headers.getlist("Set-Cookie")
    assert set(response.get_json()) == {"token_type", "access_token", "expires_in", "user"}
    assert response.get_json()["token_type"] == "Bearer"


def test_the_new_access_token_is_of_the_same_session_and_fresh(app: APIFlask) -> None:
    AccountJson(app).make_account()
    before = _bearer(app)["access_token"]
    with later(minutes=5):
        after = _reauthenticate(app, before).get_json()["access_token"]
        old, new = _claims(app, before), _claims(app, after)
    assert new.session_id == old.session_id
    assert 299 <= new.auth_time - old.auth_time <= 302


def test_refreshing_afterwards_keeps_the_fresh_moment(app: APIFlask) -> None:
    AccountJson(app).make_account()
    pair = _bearer(app)
    with later(minutes=5):
        fresh = _reauthenticate(app, pair["access_token"]).get_json()["access_token"]
    with later(minutes=9):
        headers = {"Authorization": f"Bearer {pair['refresh_token']}"}
        reply = app.test_client().post("/api/v1/auth/refresh", headers=headers)
        refreshed = _claims(app, reply.get_json()["access_token"])
        assert refreshed.auth_time == _claims(app, fresh).auth_time


def test_a_refresh_alone_makes_no_sign_in_recent(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    with later(minutes=11):
        assert door.refresh().is_fine
        assert door.change_password().code == "reauthentication_required"


def test_after_signing_out_there_is_nothing_to_confirm(app: APIFlask) -> None:
    AccountJson(app).make_account()
    pair = _bearer(app)
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert app.test_client().post("/api/v1/auth/logout", headers=headers).status_code == 204
    assert _reauthenticate(app, pair["access_token"]).status_code == 401


def test_a_wrong_password_is_refused_on_its_field(app: APIFlask) -> None:
    answer = signed_in(AccountJson(app)).reauthenticate(WRONG)
    [error] = answer.response.get_json()["errors"]
    assert answer.status == 422
    assert (error["field"], error["code"]) == ("password", "wrong_password")


def test_wrong_passwords_count_for_the_throttle(make_app: MakeApp) -> None:
    door = signed_in(AccountJson(make_app(rate_limits=True)))
    assert [door.reauthenticate(WRONG).status for _ in range(10)] == [422] * 10
    assert door.reauthenticate().status == 429


def test_right_passwords_do_not_count(make_app: MakeApp) -> None:
    door = signed_in(AccountJson(make_app(rate_limits=True)))
    assert [door.reauthenticate().status for _ in range(12)] == [200] * 12


def _send(door: AccountPages, path: str, fields: dict[str, str]) -> TestResponse:
    """Send a form as a browser does: by 307 it goes on with all that is in it."""
    response = door.client.post(path, data=fields)
    for _ in range(5):
        if response.status_code != 307:
            break
        response = door.client.post(response.headers["Location"], data=fields)
    if response.status_code == 303:
        return door.client.get(response.headers["Location"])
    return response


def _answer(door: AccountPages, asked: TestResponse, password: str) -> TestResponse:
    """Fill in the page that asks for the password, with all that waits in it."""
    form = asked.text.partition("<main")[2].partition("</main>")[0]
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall("<input[^>]*>", form)]
    fields = {tag["name"]: unescape(tag["value"]) for tag in inputs if tag["type"] == "hidden"}
    action = re.search(r'action="(/reauthenticate[^"]*)"', form)
    assert action
    return _send(door, unescape(action[1]), fields | {"present_password": password})


def _bearer(app: APIFlask) -> dict[str, Any]:
    body = {"email": ALICE, "password": PASSWORD, "transport": "bearer"}
    pair: dict[str, Any] = app.test_client().post("/api/v1/auth/login", json=body).get_json()
    return pair


def _reauthenticate(app: APIFlask, access_token: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {access_token}"}
    body = {"password": PASSWORD}
    return app.test_client().post("/api/v1/auth/reauthenticate", json=body, headers=headers)


def _claims(app: APIFlask, access_token: str) -> tokens.AccessClaims:
    with app.app_context():
        return tokens.read_access(access_token)
