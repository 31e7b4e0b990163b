"""The pages on the way to a provider and back, in the states that people meet them in."""

from playwright.sync_api import expect

from tests.browser.kit import Visitor, mailed_link, new_address
from tests.browser.kit import make_account as make
from tests.browser.pretend_states import type_somebody
from tests.browser.states import LONG_NAME, Sites, long_address, state
from tests.support import PASSWORD


def go_to(visitor: Visitor, label: str, verb: str = "Continue with") -> None:
    """Press a provider's button on the page at hand."""
    visitor.page.get_by_role("link", name=f"{verb} {label}").click()


def be(visitor: Visitor, email: str, name: str = LONG_NAME, address: str = "Verified") -> None:
    """Be somebody at the pretend provider at hand."""
    type_somebody(visitor, name, email)
    visitor.page.get_by_role("radio", name=f"{address} address", exact=True).check()
    visitor.press("Continue")


def come_with(visitor: Visitor, label: str, email: str, address: str = "Verified") -> None:
    """Sign in with a provider from the sign-in page."""
    visitor.open("/login")
    go_to(visitor, label)
    be(visitor, email, address=address)


def enter(visitor: Visitor) -> str:
    """Sign in with Google as somebody new with a long name and address."""
    email = long_address()
    come_with(visitor, "Google", email)
    visitor.sees("Your account")
    return email


@state
def social_failed(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/login")
    go_to(visitor, "Facebook")
    visitor.press("Cancel")
    visitor.sees("Not signed in with Facebook")


@state
def social_prove_account(visitor: Visitor, sites: Sites) -> None:
    email = make(sites.usual, long_address())
    come_with(visitor, "Google", email)
    visitor.sees("You have an account already")


@state
def social_address(visitor: Visitor, sites: Sites) -> None:
    come_with(visitor, "GitHub", long_address(), "Unverified")
    visitor.sees("One more step")


@state
def social_address_with_errors(visitor: Visitor, sites: Sites) -> None:
    come_with(visitor, "Facebook", new_address(), "No")
    visitor.sees("One more step")
    visitor.press("Send the link")
    expect(visitor.page.get_by_role("alert")).to_contain_text("The link was not sent")


@state
def social_check_mail(visitor: Visitor, sites: Sites) -> None:
    come_with(visitor, "Google", long_address(), "Unverified")
    visitor.press("Send the link")
    visitor.sees("Check your mail")


@state
def social_confirm(visitor: Visitor, sites: Sites) -> None:
    email = long_address()
    come_with(visitor, "Google", email, "Unverified")
    visitor.press("Send the link")
    visitor.sees("Check your mail")
    visitor.page.goto(mailed_link(sites.usual, email, "/auth/address/confirm"))
    expect(visitor.page.get_by_role("button", name="Confirm and sign in")).to_be_visible()


@state
def social_confirm_elsewhere(visitor: Visitor, sites: Sites) -> None:
    email = long_address()
    come_with(visitor, "Google", email, "Unverified")
    visitor.press("Send the link")
    visitor.sees("Check your mail")
    visitor.context.clear_cookies()
    visitor.page.goto(mailed_link(sites.usual, email, "/auth/address/confirm"))
    expect(visitor.page.locator("main")).to_contain_text("began in another browser")


@state
def connections(visitor: Visitor, sites: Sites) -> None:
    enter(visitor)
    visitor.open("/account/connections")
    visitor.sees("Ways to sign in")


@state
def connections_link(visitor: Visitor, sites: Sites) -> None:
    email = enter(visitor)
    visitor.open("/account/connections")
    go_to(visitor, "GitHub", "Connect")
    be(visitor, email)
    visitor.sees("Connect GitHub?")


@state
def connections_linked(visitor: Visitor, sites: Sites) -> None:
    connections_link(visitor, sites)
    visitor.press("Connect GitHub")
    visitor.sees("Ways to sign in")


@state
def connections_unlink(visitor: Visitor, sites: Sites) -> None:
    connections_linked(visitor, sites)
    visitor.page.get_by_role("link", name="Disconnect GitHub").click()
    visitor.sees("Disconnect GitHub?")


@state
def connections_last_way_in(visitor: Visitor, sites: Sites) -> None:
    enter(visitor)
    visitor.open("/account/connections/google/unlink")
    visitor.press("Disconnect Google")
    expect(visitor.page.get_by_role("alert")).to_contain_text("only way in")


@state
def reauthenticate_with_a_provider(visitor: Visitor, sites: Sites) -> None:
    enter(visitor)
    visitor.open("/reauthenticate?next=/account/delete")
    expect(visitor.page.get_by_role("link", name="Confirm with Google")).to_be_visible()


@state
def reauthenticate_with_either(visitor: Visitor, sites: Sites) -> None:
    email = make(sites.usual, long_address())
    visitor.sign_in(email, PASSWORD)
    visitor.sees("Your account")
    visitor.open("/account/connections")
    go_to(visitor, "Google", "Connect")
    be(visitor, email)
    visitor.press("Connect Google")
    visitor.sees("Ways to sign in")
    visitor.open("/reauthenticate?next=/account/delete")
    expect(visitor.page.get_by_role("link", name="Confirm with Google")).to_be_visible()
