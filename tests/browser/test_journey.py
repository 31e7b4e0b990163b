"""Whole journeys, from sign-up to sign-out, as people take them: with several tabs and no hurry."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.kit import (
    IN_ONE_WORKER,
    MakeSite,
    Visitor,
    mailed_link,
    make_account,
    new_address,
)
from tests.support import PASSWORD, LiveSite

pytestmark = IN_ONE_WORKER


@pytest.fixture(scope="module")
def quick_site(make_site: MakeSite) -> LiveSite:
    """A site whose access tokens expire while one looks."""
    return make_site(ACCESS_TOKEN_EXPIRES="2s", REFRESH_GRACE="4s")


@pytest.fixture
def quick_visitor(page: Page, quick_site: LiveSite) -> Visitor:
    """Somebody who is signed in there."""
    visitor = Visitor(page, quick_site.url)
    visitor.sign_in(make_account(quick_site.url))
    visitor.sees("Your account")
    return visitor


def sign_up_and_open_the_link(visitor: Visitor, email: str) -> None:
    visitor.sign_up(email, name="Alice")
    visitor.sees("Check your mail")
    visitor.page.get_by_role("link", name="Open the mailbox").click()
    visitor.sees("Mailbox")
    visitor.page.get_by_role("link", name="/verify-email").first.click()
    visitor.sees("Confirm your address")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_from_sign_up_to_sign_out_in_all_tabs(
    new_context: NewContext, quick_site: LiveSite, scripts: bool
) -> None:
    visitor = Visitor(new_context(java_script_enabled=scripts).new_page(), quick_site.url)
    email = new_address()

    sign_up_and_open_the_link(visitor, email)
    visitor.press("Confirm this address")
    visitor.is_signed_in_as(email)
    visitor.press("Sign out")
    visitor.sees("Sign in")
    expect(visitor.page.get_by_role("status").first).to_have_text(re.compile("signed out"))

    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
    visitor.wait_until_expired()
    visitor.open("/account")
    visitor.is_signed_in_as(email)

    other_tab = visitor.another_tab()
    other_tab.open("/account")
    other_tab.is_signed_in_as(email)
    visitor.press("Sign out")
    visitor.sees("Sign in")
    other_tab.page.reload()
    other_tab.sees("Sign in")


def test_a_link_opened_in_another_browser_leads_to_sign_in(
    visitor: Visitor, new_context: NewContext
) -> None:
    email = new_address()
    visitor.sign_up(email)
    visitor.sees("Check your mail")

    elsewhere = Visitor(new_context().new_page(), visitor.url)
    elsewhere.page.goto(mailed_link(visitor.url, email))
    elsewhere.press("Confirm this address")
    elsewhere.sees("Sign in")
    expect(elsewhere.page.get_by_role("status").first).to_contain_text("confirmed")
    elsewhere.sign_in(email)
    elsewhere.is_signed_in_as(email)


def test_whoever_did_not_sign_up_removes_the_account(visitor: Visitor) -> None:
    email = make_account(visitor.url, proved=False)
    link = mailed_link(visitor.url, email)

    visitor.page.goto(link)
    visitor.press("I did not make this account")
    visitor.sees("The account is removed")

    visitor.page.goto(link)
    visitor.sees("This link does not work any more")
    visitor.sign_in(email)
    expect(visitor.page.get_by_role("alert")).to_contain_text("is not right")


def test_a_link_that_was_lost_is_sent_again_from_the_sign_in_page(visitor: Visitor) -> None:
    email = make_account(visitor.url, proved=False)
    first_link = mailed_link(visitor.url, email)

    visitor.sign_in(email)
    expect(visitor.page.get_by_role("alert")).to_contain_text("Confirm your email address first")
    visitor.press("Send the link again")
    visitor.sees("Check your mail")

    new_link = mailed_link(visitor.url, email)
    assert new_link != first_link
    visitor.page.goto(new_link)
    visitor.press("Confirm this address")
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)


def test_signing_in_leads_back_to_where_one_was_going(visitor: Visitor) -> None:
    email = make_account(visitor.url)
    visitor.open("/account?from=a+mail&n=1")
    visitor.sees("Sign in")
    visitor.sign_in(email, password="wrong password 17")
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
    assert visitor.page.url == visitor.url + "/account?from=a+mail&n=1"


def test_signing_up_leads_back_to_where_one_was_going(visitor: Visitor) -> None:
    visitor.open("/account?from=a+mail")
    visitor.page.get_by_role("link", name="Sign up").click()
    email = new_address()
    visitor.fill_in(email, PASSWORD)
    visitor.press("Sign up")
    visitor.sees("Check your mail")
    visitor.page.goto(mailed_link(visitor.url, email))
    visitor.press("Confirm this address")
    visitor.is_signed_in_as(email)
    assert visitor.page.url == visitor.url + "/account?from=a+mail"


def test_keep_me_signed_in_unticked_leaves_nothing_for_the_next_start(visitor: Visitor) -> None:
    email = make_account(visitor.url)
    visitor.sign_in(email, remember=False)
    visitor.is_signed_in_as(email)
    cookies = visitor.cookies()
    assert {"access_token", "refresh_token", "XSRF-TOKEN"} <= cookies.keys()
    assert {name: cookie["expires"] for name, cookie in cookies.items()} == dict.fromkeys(
        cookies, -1
    )


def test_keep_me_signed_in_ticked_outlives_the_browser(
    visitor: Visitor, new_context: NewContext
) -> None:
    email = make_account(visitor.url)
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
    state = visitor.context.storage_state()
    state["cookies"] = [cookie for cookie in state["cookies"] if cookie["expires"] != -1]

    tomorrow = Visitor(new_context(storage_state=state).new_page(), visitor.url)
    tomorrow.open("/account")
    tomorrow.is_signed_in_as(email)


def test_signing_out_works_with_an_access_token_that_has_expired(quick_visitor: Visitor) -> None:
    other_tab = quick_visitor.another_tab()
    other_tab.open("/account")
    quick_visitor.wait_until_expired()
    quick_visitor.press("Sign out")
    quick_visitor.sees("Sign in")
    expect(quick_visitor.page.get_by_role("status").first).to_contain_text("signed out")
    assert "access_token" not in quick_visitor.cookies()
    other_tab.page.reload()
    other_tab.sees("Sign in")


def test_a_form_that_was_open_while_the_access_token_expired_is_still_taken(
    quick_visitor: Visitor,
) -> None:
    late_tab = quick_visitor.another_tab()
    link = mailed_link(quick_visitor.url, make_account(quick_visitor.url, proved=False))
    late_tab.page.goto(link)
    quick_visitor.wait_until_expired()
    late_tab.press("Confirm this address")
    late_tab.sees("Your account")


def test_tabs_that_bounce_at_once_stay_signed_in(page: Page, make_site: MakeSite) -> None:
    site = make_site(ACCESS_TOKEN_EXPIRES="1s", REFRESH_GRACE="3s")
    first_tab = Visitor(page, site.url)
    first_tab.sign_in(make_account(site.url))
    tabs = [first_tab, first_tab.another_tab(), first_tab.another_tab()]
    for tab in tabs:
        tab.open("/account")
    for number in range(10):
        first_tab.wait_until_expired()
        path = f"/account?round={number}"
        for tab in tabs:
            tab.page.evaluate("path => { setTimeout(() => location.assign(path)) }", path)
        for tab in tabs:
            tab.page.wait_for_url(f"**{path}")
            tab.sees("Your account")
