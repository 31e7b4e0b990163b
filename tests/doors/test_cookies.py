"""The cookies that a sign-in sets, down to their attributes (RFC 6265bis)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, SetCookie, cookies_set, create_user
from tests.doors_kit import JsonDoor, PagesDoor
from tests.support import PASSWORD, csrf_token_in
from webapp import clock

REFRESH_PATH = "/api/v1/auth/refresh"
ORIGIN = "https://id.example.org"
PRODUCTION: dict[str, Any] = {"app_env": "production", "base_url": ORIGIN, "bcrypt_cost": 10}
MONTH = str(30 * 86400)


def client_of(app: APIFlask) -> FlaskClient:
    create_user(app)
    return app.test_client()


def sign_in(client: FlaskClient, remember: bool = True) -> TestResponse:
    body = {"email": ALICE, "password": PASSWORD, "remember": remember}
    response = client.post("/api/v1/auth/login", json=body, base_url=ORIGIN)
    assert response.status_code == 200
    return response


def session_cookies(response: TestResponse) -> dict[str, SetCookie]:
    """Return the cookies that a session is made of; the device's outlives it, and opens nothing."""
    found = cookies_set(response)
    return {name: cookie for name, cookie in found.items() if "device_" not in name}


def attributes(cookie: SetCookie) -> dict[str, str]:
    """Return all attributes but Expires, which says what Max-Age says."""
    return {name: value for name, value in cookie.attributes.items() if name != "expires"}


def test_in_development(app: APIFlask) -> None:
    cookies = session_cookies(sign_in(client_of(app)))
    shared = {"max-age": MONTH, "samesite": "Lax"}
    assert {name: attributes(cookie) for name, cookie in cookies.items()} == {
        "access_token": shared | {"httponly": "", "path": "/"},
        "refresh_token": shared | {"httponly": "", "path": REFRESH_PATH},
        "XSRF-TOKEN": shared | {"path": "/"},
    }


def test_in_production(make_app: MakeApp) -> None:
    cookies = session_cookies(sign_in(client_of(make_app(**PRODUCTION))))
    shared = {"max-age": MONTH, "samesite": "Lax", "secure": ""}
    assert {name: attributes(cookie) for name, cookie in cookies.items()} == {
        "__Host-access_token": shared | {"httponly": "", "path": "/"},
        "__Secure-refresh_token": shared | {"httponly": "", "path": REFRESH_PATH},
        "XSRF-TOKEN": shared | {"path": "/"},
    }


@pytest.mark.parametrize("samesite", ["Lax", "Strict", "None"])
def test_samesite_is_a_setting(make_app: MakeApp, samesite: str) -> None:
    app = make_app(**PRODUCTION, cookie_samesite=samesite)
    for cookie in cookies_set(sign_in(client_of(app))).values():
        assert cookie.attributes["samesite"] == samesite
        assert "secure" in cookie.attributes


def test_samesite_none_is_secure_in_development_too(make_app: MakeApp) -> None:
    app = make_app(base_url=ORIGIN, cookie_samesite="None")
    for cookie in cookies_set(sign_in(client_of(app))).values():
        assert "secure" in cookie.attributes


def test_a_domain_gives_up_the_host_prefix(make_app: MakeApp) -> None:
    app = make_app(**PRODUCTION, cookie_domain="example.org")
    cookies = session_cookies(sign_in(client_of(app)))
    assert cookies.keys() == {"access_token", "__Secure-refresh_token", "XSRF-TOKEN"}
    assert {cookie.attributes["domain"] for cookie in cookies.values()} == {"example.org"}


def test_prefixes_are_kept_by_the_rules_of_browsers(make_app: MakeApp) -> None:
    app = make_app(**PRODUCTION)
    client = client_of(app)
    responses = [
        sign_in(client),
        client.post("/api/v1/auth/logout", base_url=ORIGIN),
        client.post(
            "/api/v1/auth/signup",
            json={"email": "new@example.com", "password": PASSWORD},
            base_url=ORIGIN,
        ),
        client.get(f"{REFRESH_PATH}/return", base_url=ORIGIN),
        client.get("/login", base_url=ORIGIN),
    ]
    for response in responses:
        for cookie in cookies_set(response).values():
            assert "secure" in cookie.attributes
            if cookie.name.startswith("__Host-"):
                assert cookie.attributes["path"] == "/"
                assert "domain" not in cookie.attributes


@pytest.mark.parametrize("settings", [{}, PRODUCTION], ids=["development", "production"])
def test_signing_out_takes_away_exactly_what_was_set(
    make_app: MakeApp, settings: dict[str, Any]
) -> None:
    client = client_of(make_app(**settings))
    placed = session_cookies(sign_in(client))
    headers = {"X-XSRF-TOKEN": placed["XSRF-TOKEN"].value}
    response = client.post("/api/v1/auth/logout", headers=headers, base_url=ORIGIN)
    assert response.status_code == 204
    cleared = cookies_set(response)
    assert cleared.keys() == placed.keys()
    for name in placed.keys() - {"XSRF-TOKEN"}:
        assert cleared[name].is_removal
        assert cleared[name].value in ("", '""')
        for attribute in ("path", "domain", "secure", "httponly", "samesite"):
            assert cleared[name].attributes.get(attribute) == placed[name].attributes.get(attribute)
    assert cleared["XSRF-TOKEN"].value != placed["XSRF-TOKEN"].value


def test_the_access_cookie_lives_as_long_as_the_refresh_cookie(app: APIFlask) -> None:
    create_user(app)
    door = JsonDoor(app)
    door.sign_in(ALICE)
    began = clock.now()
    for days in (20, 40, 60, 80):
        with time_machine.travel(began + timedelta(days=days)):
            cookies = cookies_set(door.refresh().response)
    left = int(cookies["refresh_token"].attributes["max-age"])
    assert cookies["access_token"].attributes["max-age"] == str(left)
    assert cookies["XSRF-TOKEN"].attributes["max-age"] == str(left)
    assert abs(left - 10 * 86400) < 60, "what is left of 90 days, not 30 days once more"


def test_a_short_sign_in_sets_no_lifetime(app: APIFlask) -> None:
    for cookie in cookies_set(sign_in(client_of(app), remember=False)).values():
        assert not {"max-age", "expires"} & cookie.attributes.keys()


def test_scripts_read_the_csrf_token_and_no_other_cookie(make_app: MakeApp) -> None:
    cookies = cookies_set(sign_in(client_of(make_app(**PRODUCTION))))
    readable = {name for name, cookie in cookies.items() if "httponly" not in cookie.attributes}
    assert readable == {"XSRF-TOKEN"}
    token = cookies["XSRF-TOKEN"].value
    assert not any(token in cookies[name].value for name in cookies.keys() - readable)


def test_the_mark_of_the_browser_that_signed_up(make_app: MakeApp) -> None:
    for settings, name in (({}, "sign_up"), (PRODUCTION, "__Host-sign_up")):
        app = make_app(**settings)
        response = app.test_client().post(
            "/api/v1/auth/signup", json={"email": f"{name[-7:]}{len(name)}@example.com",
                                         "password": PASSWORD}
        )  # fmt: skip
        (cookie,) = cookies_set(response).values()
        assert cookie.name == name
        expected = {"max-age": "86400", "path": "/", "httponly": "", "samesite": "Lax"}
        assert attributes(cookie) == expected | ({"secure": ""} if settings else {})


def test_the_mark_goes_once_one_is_signed_in(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_up(ALICE)
    answer = door.verify(door.mailed_token(ALICE))
    assert cookies_set(answer.response)["sign_up"].is_removal


def test_a_page_for_everybody_sets_nothing_but_a_csrf_token(client: FlaskClient) -> None:
    for path in ("/login", "/signup", "/verify-email", "/logout"):
        cookies = cookies_set(client.get(path))
        assert cookies.keys() <= {"XSRF-TOKEN"}
        for cookie in cookies.values():
            assert "max-age" not in cookie.attributes


def test_what_needs_no_cookie_sets_none(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/readyz", "/.well-known/jwks.json", "/api/v1/openapi.json",
                 "/api/v1/auth/me", "/nowhere", "/account"):  # fmt: skip
        assert "Set-Cookie" not in client.get(path).headers, path


def test_no_cookie_is_larger_than_browsers_keep(make_app: MakeApp) -> None:
    app = make_app(**PRODUCTION)
    client = client_of(app)
    far = "/" + "".join(chr(0x1F000 + 7 * n % 4000) for n in range(499))
    email = f"{'x' * 64}@{'y' * 60}.{'z' * 60}.{'w' * 60}.com"
    token = csrf_token_in(client.get("/signup", base_url=ORIGIN).text)
    form = {"email": email, "password": PASSWORD, "next": far, "csrf_token": token}
    responses = [client.post("/signup", data=form, base_url=ORIGIN), sign_in(client)]
    found = {name: cookie for each in responses for name, cookie in cookies_set(each).items()}
    assert {"__Host-sign_up", "__Host-access_token", "__Secure-refresh_token"} <= found.keys()
    for cookie in found.values():
        assert len(cookie.name) + len(cookie.value) <= 4096, cookie.name
