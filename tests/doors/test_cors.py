"""Which other origins a browser lets read replies: exactly those listed, and with cookies."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, create_user
from tests.support import PASSWORD

APP = "https://app.example.org"
OTHER = "http://localhost:4200"
STRANGERS = [
    "https://evil.example",
    "https://app.example.org.evil.example",
    "https://evil-app.example.org",
    "https://appXexample.org",
    "http://app.example.org",
    "https://app.example.org:8443",
    "https://sub.app.example.org",
    "null",
    "*",
]


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    """A browser in front of a site that two other origins may use."""
    app = make_app(cors_origins=f"{APP}, {OTHER}/")
    create_user(app)
    return app.test_client()


def preflight(client: FlaskClient, origin: str, path: str = "/api/v1/auth/me") -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type, x-xsrf-token, authorization",
    }
    return client.options(path, headers=headers)


@pytest.mark.parametrize("origin", [APP, OTHER])
def test_a_listed_origin_may_ask_with_cookies(client: FlaskClient, origin: str) -> None:
    response = preflight(client, origin)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("content-type", "x-xsrf-token", "authorization"))
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("origin", STRANGERS)
def test_no_other_origin_may(client: FlaskClient, origin: str) -> None:
    for response in (
        preflight(client, origin),
        client.get("/api/v1/auth/me", headers={"Origin": origin}),
        client.post("/api/v1/auth/login", json={}, headers={"Origin": origin}),
    ):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("origin", STRANGERS)
def test_nor_change_anything(client: FlaskClient, origin: str) -> None:
    body = {"email": ALICE, "password": PASSWORD}
    response = client.post("/api/v1/auth/login", json=body, headers={"Origin": origin})
    assert (response.status_code, response.get_json()["code"]) == (403, "csrf_failed")


def test_a_listed_origin_signs_in_and_reads_the_reply(client: FlaskClient) -> None:
    headers = {"Origin": APP, "Sec-Fetch-Site": "cross-site"}
    body = {"email": ALICE, "password": PASSWORD}
    response = client.post("/api/v1/auth/login", json=body, headers=headers)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert client.get("/api/v1/auth/me", headers=headers).status_code == 200


def test_a_listed_origin_reads_refusals_too(client: FlaskClient) -> None:
    body = {"email": ALICE, "password": "a wrong password"}
    response = client.post("/api/v1/auth/login", json=body, headers={"Origin": APP})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


def test_a_listed_origin_still_needs_the_csrf_token(client: FlaskClient) -> None:
    headers = {"Origin": APP}
    client.post("/api/v1/auth/login", json={"email": ALICE, "password": PASSWORD}, headers=headers)
    response = client.patch("/api/v1/auth/me", json={"name": "Eve"}, headers=headers)
    assert (response.status_code, response.get_json()["code"]) == (403, "csrf_failed")


def test_pages_are_for_our_own_origin(client: FlaskClient) -> None:
    for response in (
        preflight(client, APP, "/login"),
        client.get("/login", headers={"Origin": APP}),
    ):
        assert "Access-Control-Allow-Origin" not in response.headers


def test_without_the_setting_no_origin_may(make_app: MakeApp) -> None:
    client = make_app().test_client()
    for origin in ("http://localhost:5000", APP):
        assert "Access-Control-Allow-Origin" not in preflight(client, origin).headers
