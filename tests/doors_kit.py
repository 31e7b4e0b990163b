"""The doors as a person or a client knocks at them, so that one test serves both."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from html import unescape
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support import PASSWORD, csrf_token_in, find_link, token_in
from webapp.stores import outbox
from webapp.stores.transactions import read


@dataclass(frozen=True)
class Answer:
    """What both doors say in their own ways: did it work, and if not, why."""

    status: int
    code: str | None
    fields: frozenset[str]
    text: str
    response: TestResponse

    @property
    def is_fine(self) -> bool:
        """Whether it worked; a page then shows something else, or sends the browser on."""
        return self.status < 400


class Door(ABC):
    """One browser in front of one door."""

    def __init__(self, app: APIFlask) -> None:
        """Stand in front of it with an empty browser."""
        self.app = app
        self.client: FlaskClient = app.test_client()

    def another_browser(self) -> "Door":
        """Return the same door with an empty browser."""
        return type(self)(self.app)

    @abstractmethod
    def sign_up(self, email: str, password: str = PASSWORD, name: str = "") -> Answer:
        """Sign up."""

    @abstractmethod
    def verify(self, token: str) -> Answer:
        """Confirm an address with a link's token."""

    @abstractmethod
    def resend(self, email: str) -> Answer:
        """Ask for a new link."""

    @abstractmethod
    def sign_in(self, email: str, password: str = PASSWORD, remember: bool = True) -> Answer:
        """Sign in."""

    @abstractmethod
    def refresh(self) -> Answer:
        """Refresh, with the cookies that this browser has."""

    @abstractmethod
    def sign_out(self) -> Answer:
        """Sign out."""

    @abstractmethod
    def who_am_i(self) -> str | None:
        """Return the address of whoever is signed in, as this door shows it, or None."""

    def mails(self, email: str) -> list[outbox.Message]:
        """Return the mail to somebody, newest first."""
        with self.app.app_context():
            return [mail for mail in read(lambda: outbox.latest(100)) if mail.recipient == email]

    def mailed_token(self, email: str) -> str:
        """Return the token of the newest link that was mailed to somebody."""
        return token_in(find_link(self.mails(email)[0].text))

    def make_account(self, email: str = "alice@example.com", password: str = PASSWORD) -> None:
        """Sign up and confirm the address, in another browser, so that this one stays empty."""
        other = self.another_browser()
        assert other.sign_up(email, password).is_fine
        assert other.verify(other.mailed_token(email)).is_fine

    def cookie(self, name: str, path: str = "/") -> str | None:
        """Return the value of a cookie that this browser has."""
        cookie = self.client.get_cookie(name, path=path)
        return cookie.value if cookie else None


class JsonDoor(Door):
    """The JSON door with cookies, as fetch and Angular knock at it."""

    def post(self, path: str, body: Any = None, method: str = "POST") -> Answer:
        """Send a body with the CSRF token that Angular would add."""
        token = self.cookie("XSRF-TOKEN")
        headers = {"X-XSRF-TOKEN": token} if token else {}
        response = self.client.open(
            f"/api/v1/auth/{path}", method=method, json=body, headers=headers
        )
        return answer_of_json(response)

    def sign_up(self, email: str, password: str = PASSWORD, name: str = "") -> Answer:
        return self.post("signup", {"email": email, "password": password, "name": name})

    def verify(self, token: str) -> Answer:
        return self.post("email/verify", {"token": token})

    def resend(self, email: str) -> Answer:
        return self.post("email/verify/resend", {"email": email})

    def sign_in(self, email: str, password: str = PASSWORD, remember: bool = True) -> Answer:
        return self.post("login", {"email": email, "password": password, "remember": remember})

    def refresh(self) -> Answer:
        return self.post("refresh")

    def sign_out(self) -> Answer:
        return self.post("logout")

    def who_am_i(self) -> str | None:
        response = self.client.get("/api/v1/auth/me")
        return str(response.get_json()["email"]) if response.status_code == 200 else None


class PagesDoor(Door):
    """The pages, as a browser without JavaScript uses them."""

    def submit(self, page: str, to: str | None = None, **fields: str) -> Answer:
        """Open a page and send its form."""
        token = csrf_token_in(self.client.get(page).text)
        response = self.client.post(to or page, data=fields | {"csrf_token": token})
        return answer_of_page(response)

    def sign_up(self, email: str, password: str = PASSWORD, name: str = "") -> Answer:
        return self.submit("/signup", email=email, password=password, name=name)

    def verify(self, token: str) -> Answer:
        page = self.client.get("/verify-email", query_string={"token": token})
        form = self.client.get("/verify-email") if page.status_code != 200 else page
        data = {"token": token, "csrf_token": csrf_token_in(form.text)}
        return answer_of_page(self.client.post("/verify-email", data=data))

    def resend(self, email: str) -> Answer:
        return self.submit("/verify-email", "/verify-email/resend", email=email)

    def sign_in(self, email: str, password: str = PASSWORD, remember: bool = True) -> Answer:
        ticked = {"remember": "y"} if remember else {}
        return self.submit("/login", email=email, password=password, **ticked)

    def refresh(self) -> Answer:
        return answer_of_page(self.client.get("/api/v1/auth/refresh/return?next=/account"))

    def sign_out(self) -> Answer:
        return self.submit("/logout")

    def who_am_i(self) -> str | None:
        response = self.client.get("/account", follow_redirects=True)
        found = re.search(r"[\w.+-]+@[\w.-]+", _main_of(response.text))
        return found[0] if found and response.request.path == "/account" else None


def answer_of_json(response: TestResponse) -> Answer:
    """Read what the JSON door said."""
    body = response.get_json(silent=True) or {}
    fields = frozenset(item["field"] for item in body.get("errors", []))
    return Answer(response.status_code, body.get("code"), fields, response.text, response)


def answer_of_page(response: TestResponse) -> Answer:
    """Read what a page said; pages show words where the API gives codes."""
    fields = frozenset(re.findall(r'id="(\w+)-error"', response.text))
    return Answer(response.status_code, None, fields, unescape(response.text), response)


def _main_of(html: str) -> str:
    return html.partition("<main")[2].partition("</main>")[0]
