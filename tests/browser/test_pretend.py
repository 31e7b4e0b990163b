"""A provider's answer reaches the app: in the address and as a form, with and without scripts."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, Visitor
from tests.browser.pretend_states import ask, type_somebody
from tests.support import LiveSite

pytestmark = IN_ONE_WORKER


@dataclass
class LocalApp:
    """An app on this machine, which to the browser is another site than the provider."""

    port: int
    answers: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    @property
    def callback(self) -> str:
        return f"http://127.0.0.1:{self.port}/done"


@pytest.fixture
def local_app() -> Iterator[LocalApp]:
    """An app that keeps the answers that it gets."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/done"):
                self.keep(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.keep(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def keep(self, answer: str) -> None:
            app.answers.append((self.command, parse_qs(answer)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>Done</h1>")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        app = LocalApp(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield app
        server.shutdown()
        thread.join()


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def anybody(request: pytest.FixtureRequest, new_context: NewContext, site: LiveSite) -> Visitor:
    """Somebody whose browser runs scripts, and somebody whose does not."""
    return Visitor(new_context(java_script_enabled=request.param).new_page(), site.url)


@pytest.mark.parametrize("name", ["google", "facebook", "github"])
def test_in_the_address(anybody: Visitor, local_app: LocalApp, name: str) -> None:
    ask(anybody, name, redirect_uri=local_app.callback)
    type_somebody(anybody, "Ada Lovelace", "ada@example.org")
    anybody.press("Continue")
    anybody.sees("Done")
    ((method, answer),) = local_app.answers
    assert method == "GET"
    assert answer["state"] == ["state"]
    assert answer["code"]


def test_as_a_form(anybody: Visitor, local_app: LocalApp) -> None:
    ask(anybody, "apple", redirect_uri=local_app.callback)
    anybody.page.get_by_role("radio", name="Ben Okafor").check()
    anybody.press("Continue")
    anybody.sees("Back to Latchkey")
    anybody.press("Continue")
    anybody.sees("Done")
    ((method, answer),) = local_app.answers
    assert method == "POST"
    assert {"code", "state", "user"} == set(answer)


def test_cancelling(anybody: Visitor, local_app: LocalApp) -> None:
    ask(anybody, "github", redirect_uri=local_app.callback)
    anybody.press("Cancel")
    anybody.sees("Done")
    assert local_app.answers[0][1]["error"] == ["access_denied"]


def test_the_enter_key_continues(anybody: Visitor, local_app: LocalApp) -> None:
    ask(anybody, "google", redirect_uri=local_app.callback, login_hint="ada@example.org")
    expect(anybody.field("Email address")).to_have_value("ada@example.org")
    anybody.field("Email address").press("Enter")
    anybody.sees("Done")
    assert "code" in local_app.answers[0][1]
