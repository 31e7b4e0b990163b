"""Getting back in, and ending what was not oneself: with two browsers, as it happens."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewContext
from tests.browser.kit import (
    IN_ONE_WORKER,
    Visitor,
    mailed_link,
    make_account,
    new_address,
)
from tests.support import LiveSite

pytestmark = IN_ONE_WORKER

NEW_PASSWORD = "a bell in the fog"


@pytest.fixture
def other(new_context: NewContext, site: LiveSite) -> Visitor:
    """Another browser in front of the same site."""
    return Visitor(new_context(java_script_enabled=False).new_page(), site.url)


def ask_for_a_reset(visitor: Visitor, email: str) -> None:
    visitor.open("/login")
    visitor.page.get_by_role("link", name="Forgot your password?").click()
    visitor.fill_in(email)
    visitor.page.locator("main button[type=submit]").click()
    visitor.sees("Check your mail")


def set_password(visitor: Visitor) -> None:
    visitor.sees("Set a new password")
    visitor.page.get_by_label("New password").fill(NEW_PASSWORD)
    visitor.press("Set the password")
    visitor.sees("Sign in")


def test_a_forgotten_password_is_replaced_and_ends_every_sign_in(
    visitor: Visitor, other: Visitor
) -> None:
    email = make_account(visitor.url)
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)

    ask_for_a_reset(other, email)
    other.page.goto(mailed_link(other.url, email, "/reset-password"))
    set_password(other)
    other.sign_in(email, NEW_PASSWORD)
    other.is_signed_in_as(email)

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Your account")
    visitor.page.wait_for_timeout(1200)
    visitor.page.reload()
    visitor.sees("Sign in")


def test_one_device_ends_the_sign_in_of_another(visitor: Visitor, other: Visitor) -> None:
    email = make_account(visitor.url)
    for person in (visitor, other):
        person.sign_in(email)
        person.is_signed_in_as(email)

    visitor.page.get_by_role("link", name="Where you are signed in").click()
    visitor.sees("Where you are signed in")
    expect(visitor.page.get_by_text("This device")).to_have_count(1)
    visitor.press("Sign out everywhere else")
    expect(visitor.page.get_by_role("status")).to_contain_text("signed out everywhere else")

    other.page.wait_for_timeout(1200)
    other.page.reload()
    other.sees("Sign in")
    visitor.open("/account")
    visitor.is_signed_in_as(email)


def test_this_was_not_me(visitor: Visitor, other: Visitor) -> None:
    email = make_account(visitor.url)
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
    other.sign_in(email)
    other.is_signed_in_as(email)

    visitor.page.goto(mailed_link(visitor.url, email, "/not-me"))
    visitor.sees("This was not you?")
    visitor.press("End this sign-in")
    set_password(visitor)

    other.page.wait_for_timeout(1200)
    other.page.reload()
    other.sees("Sign in")


def test_an_address_is_changed_and_taken_back(visitor: Visitor, other: Visitor) -> None:
    email, new = make_account(visitor.url), new_address("new")
    visitor.sign_in(email)
    visitor.open("/account/security")
    visitor.page.get_by_role("link", name="Change address").click()
    visitor.page.get_by_label("New address").or_(
        visitor.page.get_by_label("Email address")
    ).first.fill(new)
    visitor.press("Send the link")
    visitor.page.goto(mailed_link(visitor.url, new))
    visitor.press("Use this address")
    expect(visitor.page.locator("main")).to_contain_text(new)

    other.page.goto(mailed_link(other.url, email, "/undo-email-change"))
    other.press("Take my address back")
    set_password(other)
    other.sign_in(email, NEW_PASSWORD)
    other.is_signed_in_as(email)


def test_a_deleted_account_comes_back_by_signing_in(visitor: Visitor) -> None:
    email = make_account(visitor.url)
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
    visitor.page.get_by_role("link", name="Delete my account").click()
    visitor.press("Delete my account")
    visitor.sees("Your account is deleted")
    visitor.open("/account")
    visitor.sees("Sign in")
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
