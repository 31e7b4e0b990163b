"""A script on a page of another origin, with cookies: the way of a single-page app."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Error, Page

from tests.browser.kit import IN_ONE_WORKER, MakeSite, Visitor, make_account
from tests.support import PASSWORD, LiveSite, free_port

pytestmark = IN_ONE_WORKER

# As Angular's HttpClient does it: the readable cookie goes back as a header.
CALL = """async ([api, method, path, body, options]) => {
    const headers = {};
    const token = document.cookie.match(/(?:^|; )XSRF-TOKEN=([^;]*)/)?.[1];
    if (token && method !== "GET") headers["X-XSRF-TOKEN"] = token;
    if (body) headers["Content-Type"] = "application/json";
    const reply = await fetch(api + path, {
        method, headers, credentials: "include", body: body && JSON.stringify(body), ...options,
    });
    const text = await reply.text();
    return {status: reply.status, type: reply.type, body: text ? JSON.parse(text) : null};
}"""


class _Blank(BaseHTTPRequestHandler):
    """A page with nothing on it but what a test runs there."""

    def do_GET(self) -> None:
        body = b'<!doctype html><html lang="en"><title>Client</title><link rel="icon" href="data:">'
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def blank_page(port: int) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", port), _Blank) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://localhost:{port}"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Origins:
    """The API, a page that may use it, and one that may not."""

    site: LiveSite
    allowed: str
    stranger: str


@pytest.fixture(scope="module")
def origins(make_site: MakeSite) -> Iterator[Origins]:
    """The three, each on a port of its own."""
    with ExitStack() as stack:
        allowed = stack.enter_context(blank_page(free_port()))
        stranger = stack.enter_context(blank_page(free_port()))
        yield Origins(make_site(CORS_ORIGINS=allowed), allowed, stranger)


@dataclass(frozen=True)
class Script:
    """A script on a page of some origin."""

    page: Page
    api: str

    def call(self, method: str, path: str, body: Any = None, **options: str) -> dict[str, Any]:
        """Call the API and return status and body."""
        result: dict[str, Any] = self.page.evaluate(
            CALL, [self.api + "/api/v1", method, path, body, options]
        )
        return result


@pytest.fixture
def script(page: Page, origins: Origins) -> Script:
    """One on the page that may use the API."""
    page.goto(origins.allowed)
    return Script(page, origins.site.url)


def test_from_sign_in_to_sign_out(script: Script, page: Page, origins: Origins) -> None:
    email = make_account(origins.site.url)
    assert script.call("GET", "/auth/me")["status"] == 401

    reply = script.call("POST", "/auth/login", {"email": email, "password": PASSWORD})
    assert reply["status"] == 200
    assert reply["body"]["token_type"] == "cookie"
    assert not {"access_token", "refresh_token"} & {
        name for name, value in reply["body"].items() if value is not None
    }
    assert script.call("GET", "/auth/me")["body"]["email"] == email

    assert "XSRF-TOKEN=" in page.evaluate("document.cookie")
    assert "access_token" not in page.evaluate("document.cookie")
    before = Visitor(page, origins.site.url).cookies()
    assert script.call("POST", "/auth/refresh")["status"] == 200
    after = Visitor(page, origins.site.url).cookies()
    assert after["refresh_token"]["value"] != before["refresh_token"]["value"]
    assert script.call("GET", "/auth/me")["body"]["email"] == email

    assert script.call("POST", "/auth/logout")["status"] == 204
    assert script.call("GET", "/auth/me")["status"] == 401
    assert "access_token" not in Visitor(page, origins.site.url).cookies()


def test_pages_and_script_share_one_sign_in(script: Script, page: Page, origins: Origins) -> None:
    email = make_account(origins.site.url)
    script.call("POST", "/auth/login", {"email": email, "password": PASSWORD})

    tab = Visitor(page.context.new_page(), origins.site.url)
    tab.open("/account")
    tab.is_signed_in_as(email)
    tab.press("Sign out")
    tab.sees("Sign in")
    assert script.call("GET", "/auth/me")["status"] == 401


def test_without_the_token_nothing_changes(script: Script, page: Page, origins: Origins) -> None:
    email = make_account(origins.site.url)
    script.call("POST", "/auth/login", {"email": email, "password": PASSWORD})
    token = page.evaluate("document.cookie")
    page.evaluate("document.cookie = 'XSRF-TOKEN=; max-age=0; path=/'")
    for path in ("/auth/refresh", "/auth/logout"):
        reply = script.call("POST", path)
        assert (reply["status"], reply["body"]["code"]) == (403, "csrf_failed")
    page.evaluate("cookie => { document.cookie = `${cookie}; path=/` }", token)
    assert script.call("GET", "/auth/me")["body"]["email"] == email


def test_an_origin_that_is_not_allowed_is_refused(page: Page, origins: Origins) -> None:
    email = make_account(origins.site.url)
    Visitor(page, origins.site.url).sign_in(email)
    Visitor(page, origins.site.url).sees("Your account")

    page.goto(origins.stranger)
    stranger = Script(page, origins.site.url)
    for method, path in (("GET", "/auth/me"), ("POST", "/auth/refresh"), ("POST", "/auth/logout")):
        with pytest.raises(Error, match="Failed to fetch"):
            stranger.call(method, path)
    with pytest.raises(Error, match="Failed to fetch"):  # Cross-Origin-Resource-Policy
        stranger.page.evaluate(
            "url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include'})",
            origins.site.url + "/api/v1/auth/logout",
        )
    Visitor(page, origins.site.url).open("/account")
    Visitor(page, origins.site.url).is_signed_in_as(email)


def test_an_origin_that_is_not_allowed_signs_nobody_in(page: Page, origins: Origins) -> None:
    email = make_account(origins.site.url)
    page.goto(origins.stranger)
    with pytest.raises(Error, match="Failed to fetch"):
        Script(page, origins.site.url).call(
            "POST", "/auth/login", {"email": email, "password": PASSWORD}
        )
    page.evaluate(
        """([url, email, password]) => {
            const form = document.createElement("form");
            form.method = "post";
            form.action = url;
            for (const [name, value] of Object.entries({email, password})) {
                const input = document.createElement("input");
                input.name = name;
                input.value = value;
                form.append(input);
            }
            document.body.append(form);
            form.submit();
        }""",
        [origins.site.url + "/login", email, PASSWORD],
    )
    page.wait_for_url(origins.site.url + "/login")
    assert "access_token" not in Visitor(page, origins.site.url).cookies()
