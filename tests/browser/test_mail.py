"""Every mail as a mail program shows it, narrow and wide, in both themes."""

import re

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, MakeSite, make_account, new_address
from tests.browser.states import LONG_APP_NAME
from tests.browser.test_pages import OVERFLOW, violations
from tests.support import PASSWORD, LiveSite

pytestmark = IN_ONE_WORKER

ACCENT = "#7a1f3d"


@pytest.fixture(scope="module")
def mailing_site(make_site: MakeSite) -> LiveSite:
    """A site with a brand, where a refresh token used twice is reuse."""
    return make_site(APP_NAME=LONG_APP_NAME, APP_ACCENT=ACCENT, REFRESH_GRACE="0")


def mail_of_sign_up(site: LiveSite, email: str) -> str:
    make_account(site.url, email, proved=False)
    return f"Confirm your address for {LONG_APP_NAME}"


def mail_of_second_sign_up(site: LiveSite, email: str) -> str:
    make_account(site.url, email)
    make_account(site.url, email, proved=False)
    return f"You already have an account at {LONG_APP_NAME}"


def mail_of_reuse(site: LiveSite, email: str) -> str:
    make_account(site.url, email)
    body = {"email": email, "password": PASSWORD, "transport": "bearer"}
    tokens = requests.post(f"{site.url}/api/v1/auth/login", json=body, timeout=10).json()
    for status in (200, 401):
        reply = requests.post(
            f"{site.url}/api/v1/auth/refresh",
            json={"refresh_token": tokens["refresh_token"]},
            timeout=10,
        )
        assert reply.status_code == status
    return f"We ended one of your {LONG_APP_NAME} sign-ins"


MAILS = {"sign-up": mail_of_sign_up, "taken": mail_of_second_sign_up, "reuse": mail_of_reuse}


def assert_readable(page: Page) -> None:
    page.evaluate(Axe().axe_script)
    for width in (360, 700):
        page.set_viewport_size({"width": width, "height": 600})
        assert page.evaluate(OVERFLOW) <= 0
        # A mail is a part of its reader's page, which has the landmarks.
        assert violations(page, "landmark-one-main", "region") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_can_be_read_anywhere(
    new_context: NewContext, mailing_site: LiveSite, kind: str, theme: str
) -> None:
    email = new_address()
    subject = MAILS[kind](mailing_site, email)
    page = new_context(color_scheme=theme).new_page()
    page.goto(f"{mailing_site.url}/dev/mailbox?q={email}")
    expect(page.locator("article h2").first).to_have_text(subject)

    page.locator("article").first.get_by_role("link", name="See it as HTML").click()
    page.wait_for_url("**/dev/mailbox/*")
    html = requests.get(page.url + "/html", timeout=10).text
    # In a page of no address: the sandbox of its own would keep axe from running, too.
    page.goto("about:blank")
    page.set_content(html)
    button = page.locator("a.button")
    expect(button).to_have_css("background-color", "rgb(122, 31, 61)")
    link = button.get_attribute("href") or ""
    assert link.startswith(mailing_site.url)
    expect(page.get_by_role("link", name=link)).to_be_visible()
    expect(page.locator("body")).to_contain_text(re.compile("This was not you"))
    assert_readable(page)
