"""What a refresh takes for a refresh token, and what happens while the store is down."""

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.doors.probes import (
    ALICE,
    bearer,
    cookies_set,
    create_user,
    execute,
    query,
    sign_in_by_bearer,
)
from tests.doors_kit import JsonDoor

PATH = "/api/v1/auth/refresh"


@pytest.fixture
def door(app: APIFlask) -> JsonDoor:
    """Alice's browser, signed in."""
    create_user(app)
    door = JsonDoor(app)
    assert door.sign_in(ALICE).is_fine
    return door


def test_without_a_token_nobody_is_signed_in(client: FlaskClient) -> None:
    response = client.post(PATH)
    assert (response.status_code, response.get_json()["code"]) == (401, "not_signed_in")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="Latchkey"'
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"other": 1}])
def test_a_body_without_a_token_is_none(client: FlaskClient, body: dict[str, object]) -> None:
    assert client.post(PATH, json=body).get_json()["code"] == "not_signed_in"


@pytest.mark.parametrize("body", [{"refresh_token": 1}, {"refresh_token": ["x"]}, [], "x", 1])
def test_a_body_of_another_shape_is_refused(client: FlaskClient, body: object) -> None:
    response = client.post(PATH, json=body)
    assert (response.status_code, response.get_json()["code"]) == (422, "validation_failed")


def test_an_access_token_is_no_refresh_token(app: APIFlask, door: JsonDoor) -> None:
    access = sign_in_by_bearer(app.test_client())["access_token"]
    for response in (
        app.test_client().post(PATH, headers=bearer(access)),
        app.test_client().post(PATH, json={"refresh_token": access}),
    ):
        assert (response.status_code, response.get_json()["code"]) == (401, "token_invalid")
    door.client.set_cookie("refresh_token", door.cookie("access_token") or "", path=PATH)
    assert door.refresh().code == "token_invalid"


def test_a_refresh_token_is_no_access_token(app: APIFlask, door: JsonDoor) -> None:
    client = app.test_client()
    refresh = sign_in_by_bearer(client)["refresh_token"]
    response = client.get("/api/v1/auth/me", headers=bearer(refresh))
    assert (response.status_code, response.get_json()["code"]) == (401, "token_invalid")
    client.set_cookie("access_token", refresh)
    assert client.get("/api/v1/auth/me").get_json()["code"] == "token_invalid"
    assert client.get("/account").location == "/login?next=/account"


def test_the_header_counts_before_the_cookie(app: APIFlask, door: JsonDoor) -> None:
    create_user(app, "bob@example.com")
    token = sign_in_by_bearer(app.test_client(), "bob@example.com")["refresh_token"]
    response = door.client.post(PATH, headers=bearer(token))
    assert response.get_json()["user"]["email"] == "bob@example.com"
    assert "Set-Cookie" not in response.headers
    response = door.client.post(PATH, headers=bearer("forged"))
    assert response.get_json()["code"] == "token_invalid"


def test_the_access_cookie_alone_refreshes_nothing(app: APIFlask, door: JsonDoor) -> None:
    door.client.delete_cookie("refresh_token", path=PATH)
    assert door.refresh().code == "not_signed_in"
    assert door.who_am_i() == ALICE


def test_while_the_store_is_down_nobody_is_signed_out(app: APIFlask, door: JsonDoor) -> None:
    execute(app, "ALTER TABLE sessions RENAME TO gone")
    answer = door.refresh()
    assert (answer.status, answer.code) == (503, "temporarily_unavailable")
    assert answer.response.headers["Retry-After"]
    assert "Set-Cookie" not in answer.response.headers
    execute(app, "ALTER TABLE gone RENAME TO sessions")
    answer = door.refresh()
    assert answer.is_fine
    assert "refresh_token" in cookies_set(answer.response)
    assert query(app, "SELECT generation FROM sessions") == [(2,)], "the failed try wrote nothing"
