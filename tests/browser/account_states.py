"""The pages of an account in the states that people meet them in; they join those in states.py."""

from playwright.sync_api import expect

from tests.browser.kit import Visitor, mailed_link, new_address
from tests.browser.kit import make_account as make
from tests.browser.states import LONG_NAME, Sites, fails, long_address, state


def enter(visitor: Visitor, sites: Sites) -> str:
    """Sign in as somebody with a long name and address, who has signed in elsewhere before."""
    email = make(sites.usual, long_address(), LONG_NAME)
    visitor.sign_in(email)
    visitor.sees("Your account")
    return email


@state
def account_with_name_refused(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    field = visitor.page.locator("input[name=name]")
    field.evaluate("field => field.removeAttribute('maxlength')")
    field.fill("x" * 101)
    visitor.press("Save the name")
    expect(visitor.page.locator("#name-error")).to_be_visible()


@state
def forgot(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/forgot-password")
    visitor.sees("Set a new password")


@state
def forgot_with_errors(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/forgot-password")
    visitor.page.locator("main button[type=submit]").click()
    expect(visitor.page.get_by_role("alert")).to_be_visible()


@state
def forgot_sent(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/forgot-password")
    visitor.fill_in(long_address())
    visitor.page.locator("main button[type=submit]").click()
    visitor.sees("Check your mail")


@state
def reset(visitor: Visitor, sites: Sites) -> None:
    email = make(sites.usual, long_address())
    visitor.open("/forgot-password")
    visitor.fill_in(email)
    visitor.page.locator("main button[type=submit]").click()
    visitor.sees("Check your mail")
    visitor.page.goto(mailed_link(sites.usual, email, "/reset-password"))
    visitor.sees("Set a new password")


@state
def reset_with_errors(visitor: Visitor, sites: Sites) -> None:
    reset(visitor, sites)
    visitor.press("Set the password")
    expect(visitor.page.get_by_role("alert")).to_be_visible()


@state
def security(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/account/security")
    visitor.sees("Password and address")


@state
def change_password(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/account/security/password")
    visitor.sees("Change your password")


@state
def change_password_with_errors(visitor: Visitor, sites: Sites) -> None:
    change_password(visitor, sites)
    visitor.press("Change the password")
    expect(visitor.page.get_by_role("alert")).to_be_visible()


@state
def change_address_waiting(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/account/security/email")
    visitor.page.locator("input[name=email]").fill(long_address())
    visitor.press("Send the link")
    visitor.sees("Password and address")
    visitor.open("/account/security/email")
    visitor.sees("Change your address")


@state
def change_address_with_errors(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/account/security/email")
    visitor.press("Send the link")
    expect(visitor.page.get_by_role("alert")).to_be_visible()


@state
def confirm_new_address(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    email = long_address()
    visitor.open("/account/security/email")
    visitor.page.locator("input[name=email]").fill(email)
    visitor.press("Send the link")
    visitor.sees("Password and address")
    visitor.page.goto(mailed_link(sites.usual, email))
    visitor.sees("Confirm your new address")


@state
def undo_change_of_address(visitor: Visitor, sites: Sites) -> None:
    email = enter(visitor, sites)
    new = new_address()
    visitor.open("/account/security/email")
    visitor.page.locator("input[name=email]").fill(new)
    visitor.press("Send the link")
    visitor.sees("Password and address")
    visitor.page.goto(mailed_link(sites.usual, new))
    visitor.press("Use this address")
    visitor.sees("Password and address")
    visitor.page.goto(mailed_link(sites.usual, email, "/undo-email-change"))
    visitor.sees("Take your address back")


@state
def devices(visitor: Visitor, sites: Sites) -> None:
    email = enter(visitor, sites)
    visitor.context.clear_cookies()
    visitor.sign_in(email)
    visitor.open("/account/devices")
    visitor.sees("Where you are signed in")


@state
def not_me(visitor: Visitor, sites: Sites) -> None:
    email = enter(visitor, sites)
    visitor.context.clear_cookies()
    visitor.sign_in(email)
    visitor.sees("Your account")
    visitor.page.goto(mailed_link(sites.usual, email, "/not-me"))
    visitor.sees("This was not you?")


@state
def delete(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/account/delete")
    visitor.sees("Delete your account?")


@state
def deleted(visitor: Visitor, sites: Sites) -> None:
    delete(visitor, sites)
    visitor.press("Delete my account")
    visitor.sees("Your account is deleted")


@state
def reauthenticate(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/reauthenticate?next=/account/delete")
    visitor.sees("Confirm that it is you")


@state
def reauthenticate_with_errors(visitor: Visitor, sites: Sites) -> None:
    reauthenticate(visitor, sites)
    visitor.press("Confirm")
    fails(visitor, "Enter your password")
