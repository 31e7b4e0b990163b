"""What a person does in a browser, in their words."""

import base64
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import BrowserContext, Cookie, Locator, Page, expect

from tests.support import PASSWORD, LiveSite, find_link, token_in

MakeSite = Callable[..., LiveSite]

# What every module here is marked with: one worker runs them all, and they share one browser.
IN_ONE_WORKER = pytest.mark.xdist_group("browser")


def new_address(name: str = "alice") -> str:
    """Return an address that nobody has yet."""
    return f"{name}.{secrets.token_hex(4)}@example.com"


def make_account(url: str, email: str | None = None, name: str = "", proved: bool = True) -> str:
    """Sign somebody up without a browser and return their address."""
    email = email or new_address()
    body = {"email": email, "password": PASSWORD, "name": name}
    requests.post(f"{url}/api/v1/auth/signup", json=body, timeout=10).raise_for_status()
    if proved:
        token = token_in(mailed_link(url, email))
        reply = requests.post(f"{url}/api/v1/auth/email/verify", json={"token": token}, timeout=10)
        reply.raise_for_status()
    return email


def mailed_link(url: str, email: str, path: str = "/verify-email") -> str:
    """Return the newest link to a page in the mail to somebody."""
    mailbox = requests.get(f"{url}/dev/mailbox", params={"q": email}, timeout=10)
    return find_link(mailbox.text, path)


@dataclass
class Visitor:
    """A person and one tab of their browser, on one site."""

    page: Page
    url: str

    @property
    def context(self) -> BrowserContext:
        """Their browser."""
        return self.page.context

    def another_tab(self) -> "Visitor":
        """Return the same person in a new tab."""
        return Visitor(self.context.new_page(), self.url)

    def open(self, path: str) -> None:
        """Open a page of the site."""
        self.page.goto(self.url + path)

    def press(self, button: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=button, exact=True).click()

    def fill_in(self, email: str = "", password: str = "", name: str = "") -> None:
        """Fill in the fields of the form at hand, those with something to fill in."""
        for label, value in (
            ("Your name", name),
            ("Email address", email),
            ("Password", password),
        ):
            if value:
                self.field(label).fill(value)

    def field(self, label: str) -> Locator:
        """Return the field with a label."""
        return self.page.get_by_role("textbox", name=re.compile(rf"^{label}( \(optional\))?$"))

    def sign_up(self, email: str, password: str = PASSWORD, name: str = "") -> None:
        """Sign up."""
        self.open("/signup")
        self.fill_in(email, password, name)
        self.press("Sign up")

    def sign_in(self, email: str, password: str = PASSWORD, remember: bool = True) -> None:
        """Sign in with the form at hand, or with that of the sign-in page."""
        if "/login" not in self.page.url:
            self.open("/login")
        self.fill_in(email, password)
        self.page.get_by_label("Keep me signed in on this device").set_checked(remember)
        self.press("Sign in")

    def sees(self, heading: str) -> None:
        """Expect a page with this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def is_signed_in_as(self, email: str) -> None:
        """Expect the account page of somebody."""
        self.sees("Your account")
        expect(self.page.locator("main")).to_contain_text(email)

    def cookies(self) -> dict[str, Cookie]:
        """Return the browser's cookies by name."""
        return {cookie["name"]: cookie for cookie in self.context.cookies()}

    def wait_until_expired(self) -> None:
        """Let time pass until this browser's access token has expired."""
        payload = self.cookies()["access_token"]["value"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        time.sleep(max(0.0, claims["exp"] - time.time()) + 0.05)
