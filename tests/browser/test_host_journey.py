"""A person at an application that Latchkey stands in front of, below a prefix."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, MakeSite, Visitor, new_address
from tests.support import LiveSite

pytestmark = IN_ONE_WORKER


@pytest.fixture(scope="module")
def shop(make_site: MakeSite) -> LiveSite:
    """The example of a host application, whose access tokens expire while one looks."""
    return make_site(
        serves="examples.host_app.app:app", ACCESS_TOKEN_EXPIRES="2s", REFRESH_GRACE="4s"
    )


def write(page: Page, text: str) -> None:
    """Write a line into the guest book."""
    page.get_by_label("Your line").fill(text)
    page.get_by_role("button", name="Write").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_from_the_hosts_page_to_sign_in_and_back(
    new_context: NewContext, shop: LiveSite, scripts: bool
) -> None:
    page = new_context(java_script_enabled=scripts).new_page()
    below = Visitor(page, f"{shop.url}/id")
    email = new_address()

    page.goto(shop.url)
    page.get_by_role("link", name="guest book").click()
    below.sees("Sign in")
    page.get_by_role("link", name="Sign up").click()
    below.fill_in(email, "correct horse 17", "Alice")
    below.press("Sign up")
    below.sees("Check your mail")
    page.get_by_role("link", name="Open the mailbox").click()
    page.get_by_role("link", name="/id/verify-email").first.click()
    below.press("Confirm this address")
    below.sees("Guest book")
    expect(page).to_have_url(f"{shop.url}/guestbook")
    expect(page.get_by_role("banner")).to_contain_text(email)

    # An expired token is renewed on the way, for a page and for a form with all that is in it.
    below.wait_until_expired()
    page.reload()
    below.sees("Guest book")
    expect(page).to_have_url(f"{shop.url}/guestbook")
    below.wait_until_expired()
    write(page, f"A bell for {email}")
    expect(page.get_by_role("listitem").last).to_have_text(f"A bell for {email}")

    cookies = below.cookies()
    assert cookies["access_token"]["path"] == "/"
    assert "refresh_token" in {cookie["name"] for cookie in below.context.cookies()}
    assert cookies["refresh_token"]["path"] == "/id/api/v1/auth/refresh"

    below.open("/account/devices")
    below.sees("Where you are signed in")
    page.get_by_role("link", name="Your account").click()
    expect(page).to_have_url(f"{shop.url}/id/account")
    page.goto(shop.url)
    page.get_by_role("button", name="Sign out").click()
    below.sees("Sign in")
    expect(page.get_by_role("status").first).to_have_text(re.compile("signed out"))
    page.goto(f"{shop.url}/guestbook")
    below.sees("Sign in")


def test_the_hosts_pages_and_latchkeys_look_as_they_should(page: Page, shop: LiveSite) -> None:
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    for path, font in (("/", "Georgia"), ("/id/login", "system-ui")):
        page.goto(shop.url + path)
        assert font in page.evaluate("getComputedStyle(document.body).fontFamily")
    assert failed == []
