"""The headers that every reply carries, errors and static files too."""

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.wrappers import Response

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, create_user, routes
from tests.doors_kit import PagesDoor

ORIGIN = "https://id.example.org"
STATIC = ("/static/latchkey.css", "/static/js/page.js", "/static/mark.svg")
REFUSED = ("/nowhere", "/api/v1/nowhere", "/static/nowhere", "/verify-email?token=x", "/%00")


def policy_of(response: Response) -> dict[str, list[str]]:
    """Return the Content-Security-Policy by directive."""
    parts = response.headers["Content-Security-Policy"].split(";")
    words = [part.split() for part in parts if part.strip()]
    return {name: sources for name, *sources in words}


def assert_hardened(response: Response) -> None:
    policy = policy_of(response)
    assert "'unsafe-inline'" not in str(policy)
    assert "'unsafe-eval'" not in str(policy)
    assert "*" not in str(policy)
    assert policy["default-src"] == ["'none'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert policy["script-src"] == ["'self'"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-Id"])
    assert response.headers.getlist("Cache-Control")


@pytest.fixture
def door(app: APIFlask) -> PagesDoor:
    """Alice's browser, signed in."""
    create_user(app)
    door = PagesDoor(app)
    door.sign_in(ALICE)
    return door


def test_every_route_sends_them(app: APIFlask, door: PagesDoor) -> None:
    for client in (door.client, app.test_client()):
        for path, method in routes(app):
            with client.open(path, method=method, json={} if method != "GET" else None) as response:
                assert_hardened(response)


@pytest.mark.parametrize("path", REFUSED)
def test_refusals_send_them(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code in (400, 404)
    assert_hardened(response)
    assert response.headers["Cache-Control"] == "no-store"


def test_other_refusals_send_them(client: FlaskClient) -> None:
    for response in (
        client.post("/api/v1/auth/login", data="x" * 70_000, content_type="application/json"),
        client.post("/login", data={"email": "x" * 70_000}),
        client.post("/login", headers={"Origin": "https://evil.example"}),
        client.post("/api/v1/auth/login", data="x", content_type="text/plain"),
        client.put("/login"),
    ):
        assert response.status_code >= 400
        assert_hardened(response)


def test_a_nonce_is_for_one_page(make_app: MakeApp) -> None:
    client = make_app(app_accent="#7a1f3d").test_client()
    nonces = {str(policy_of(client.get("/login"))["style-src"]) for _ in range(3)}
    assert len(nonces) == 3
    assert all("'nonce-" in nonce for nonce in nonces)


def test_without_a_style_of_its_own_a_page_allows_none(client: FlaskClient) -> None:
    assert "nonce" not in str(policy_of(client.get("/login"))["style-src"])


def test_pages_hold_nothing_that_the_policy_forbids(app: APIFlask, door: PagesDoor) -> None:
    for path, method in routes(app):
        if method != "GET" or path.startswith("/static"):
            continue
        response = door.client.get(path)
        if response.mimetype != "text/html":
            continue
        assert not re.search(r"<[^>]+ (style|on\w+)=", response.text), path
        assert not re.search(r"<script(?![^>]+src=)", response.text), path
        assert "javascript:" not in response.text


def test_what_is_personal_is_never_stored(app: APIFlask, door: PagesDoor) -> None:
    for client in (door.client, app.test_client()):
        for path, method in routes(app):
            if path.startswith("/static") or path.endswith("jwks.json"):
                continue
            response = client.open(path, method=method)
            assert response.headers["Cache-Control"] == "no-store", (path, method)


def test_no_reply_can_be_run_as_a_script(app: APIFlask, door: PagesDoor) -> None:
    for path, method in routes(app):
        if method == "GET" and not path.startswith("/static"):
            response = door.client.get(f"{path}?callback=f&jsonp=f&format=js")
            assert "javascript" not in str(response.mimetype), path
            assert not response.text.startswith("f("), path


def test_scripts_are_the_same_for_everybody(app: APIFlask, door: PagesDoor) -> None:
    for path in STATIC:
        with door.client.get(path) as one, app.test_client().get(path) as other:
            assert one.status_code == 200
            assert one.data == other.data


@pytest.mark.parametrize("path", STATIC)
def test_static_files_may_be_kept(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        assert response.status_code == 200
        assert "no-store" not in response.headers["Cache-Control"]
        assert "Set-Cookie" not in response.headers
        assert_hardened(response)


def test_the_public_keys_may_be_kept(client: FlaskClient) -> None:
    response = client.get("/.well-known/jwks.json")
    assert response.headers["Cache-Control"] == "public, max-age=300"


def test_only_production_demands_https(make_app: MakeApp) -> None:
    development = make_app().test_client()
    production = make_app(app_env="production", base_url=ORIGIN, bcrypt_cost=10).test_client()
    for path in ("/login", "/nowhere", "/api/v1/auth/me", "/healthz", *STATIC):
        with development.get(path) as response:
            assert "Strict-Transport-Security" not in response.headers
        with production.get(path) as response:
            lifetime, _, scope = response.headers["Strict-Transport-Security"].partition("; ")
            assert int(lifetime.removeprefix("max-age=")) >= 31_536_000
            assert scope == "includeSubDomains"


def test_production_has_no_mailbox(make_app: MakeApp) -> None:
    client = make_app(app_env="production", base_url=ORIGIN, bcrypt_cost=10).test_client()
    assert client.get("/dev/mailbox").status_code == 404
    assert "mailbox" not in client.get("/login").text


def test_a_mail_is_shown_in_a_frame_that_may_do_nothing(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_up(ALICE)
    response = door.client.get(f"/dev/mailbox/{door.mails(ALICE)[0].id}/html")
    policy = policy_of(response)
    assert policy["default-src"] == ["'none'"]
    assert policy["sandbox"] == []
    assert "script-src" not in policy


def test_an_own_logo_and_accent_fit_the_policy(make_app: MakeApp) -> None:
    app = make_app(app_logo="https://cdn.example.org/mark.png", app_accent="#7a1f3d")
    response = app.test_client().get("/login")
    assert_hardened(response)
    assert "https://cdn.example.org/mark.png" in policy_of(response)["img-src"]
    (nonce,) = re.findall(r'<style nonce="([\w-]+)"', response.text)
    assert f"'nonce-{nonce}'" in policy_of(response)["style-src"]


def test_a_forged_host_or_scheme_changes_no_page(client: FlaskClient) -> None:
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "/evil",
    }
    for path in ("/", "/login", "/account", "/nowhere", "/api/v1/docs"):
        response = client.get(path, headers=headers)
        assert "evil" not in response.text.replace("…", "")
        assert "evil" not in response.headers.get("Location", "")
