"""Every page in every state that people meet it in, and how one gets there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import expect

from tests.browser.kit import Visitor, mailed_link, new_address
from tests.browser.kit import make_account as make
from tests.support import PASSWORD

LONG_NAME = "Wilhelmina Alexandra Constantinopoulou-Featherstonehaugh III"
LONG_APP_NAME = "The Royal Society for the Protection of Typewriters & Ribbon"


@dataclass(frozen=True)
class Sites:
    """The sites that the states need, by their addresses."""

    usual: str
    empty: str
    branded: str
    broken: str
    # Where the usual one keeps its data.
    database_url: str


State = Callable[[Visitor, Sites], None]
STATES: dict[str, State] = {}


def state(function: State) -> State:
    """Put a way into the list."""
    STATES[function.__name__.replace("_", "-")] = function
    return function


def long_address() -> str:
    """Return an address of 60 characters that nobody has yet."""
    return new_address("wilhelmina.alexandra.constantinopoul").rjust(60, "w")


def fails(visitor: Visitor, words: str) -> None:
    """Expect the error summary with these words."""
    expect(visitor.page.get_by_role("alert")).to_contain_text(words)


@state
def home(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/")
    visitor.sees("Latchkey")


@state
def sign_up(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/signup")
    visitor.sees("Sign up")


@state
def sign_up_filled(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/signup")
    visitor.fill_in(long_address(), PASSWORD, LONG_NAME)
    visitor.page.get_by_role("button", name="Show password").click()


@state
def sign_up_with_errors(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/signup")
    visitor.press("Sign up")
    fails(visitor, "Your account is not made yet")


@state
def sign_up_filled_with_errors(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_up(long_address(), password="short", name=LONG_NAME)
    fails(visitor, "Your account is not made yet")


@state
def sign_in(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/login")
    visitor.sees("Sign in")


@state
def sign_in_empty_with_errors(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/login")
    visitor.press("Sign in")
    fails(visitor, "You are not signed in")


@state
def sign_in_with_wrong_password(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_in(long_address())
    fails(visitor, "is not right")


@state
def sign_in_unproved(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_in(make(sites.usual, long_address(), proved=False))
    fails(visitor, "Confirm your email address first")


@state
def sign_in_after_confirming(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/login?notice=email_verified")


@state
def sign_in_after_signing_out(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/login?notice=signed_out")


@state
def sign_in_branded(visitor: Visitor, sites: Sites) -> None:
    visitor.page.goto(sites.branded + "/login")
    visitor.sees("Sign in")


@state
def home_branded(visitor: Visitor, sites: Sites) -> None:
    visitor.page.goto(sites.branded)
    visitor.sees(LONG_APP_NAME)


@state
def sign_in_while_the_database_is_down(visitor: Visitor, sites: Sites) -> None:
    visitor.page.goto(sites.broken + "/login")
    visitor.sign_in("alice@example.com")
    fails(visitor, "nothing is lost")


@state
def check_mail(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_up(long_address())
    visitor.sees("Check your mail")


@state
def check_mail_elsewhere(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/verify-email")
    visitor.sees("Confirm your address")


@state
def check_mail_with_errors(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/verify-email")
    visitor.press("Send the link again")
    fails(visitor, "The link was not sent")


@state
def check_mail_sent_again(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_up(long_address())
    visitor.press("Send the link again")
    expect(visitor.page.get_by_role("status")).to_contain_text("a new link is on its way")


@state
def confirm(visitor: Visitor, sites: Sites) -> None:
    email = make(sites.usual, long_address(), LONG_NAME, proved=False)
    visitor.page.goto(mailed_link(sites.usual, email))
    visitor.sees("Confirm your address")


@state
def removed(visitor: Visitor, sites: Sites) -> None:
    confirm(visitor, sites)
    visitor.press("I did not make this account")
    visitor.sees("The account is removed")


@state
def link_that_does_not_work(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/verify-email?token=used-up")
    visitor.sees("This link does not work any more")


@state
def account(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_in(make(sites.usual, long_address(), LONG_NAME))
    visitor.sees("Your account")


@state
def account_without_a_name(visitor: Visitor, sites: Sites) -> None:
    visitor.sign_in(make(sites.usual))
    visitor.sees("Your account")


@state
def sign_out_question(visitor: Visitor, sites: Sites) -> None:
    account_without_a_name(visitor, sites)
    visitor.open("/logout")
    visitor.sees("Sign out of Latchkey?")


@state
def not_found(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/nowhere")
    visitor.sees("Nothing here")


@state
def unavailable(visitor: Visitor, sites: Sites) -> None:
    visitor.page.goto(sites.broken + "/verify-email?token=" + 43 * "x")
    visitor.sees("Not right now")


@state
def mailbox_empty(visitor: Visitor, sites: Sites) -> None:
    visitor.page.goto(sites.empty + "/dev/mailbox")
    expect(visitor.page.locator("main")).to_contain_text("No mail yet")


@state
def mailbox_with_nothing_found(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/dev/mailbox?q=" + long_address())
    expect(visitor.page.locator("main")).to_contain_text("No mail to")


@state
def mailbox_full(visitor: Visitor, sites: Sites) -> None:
    email = long_address()
    make(sites.usual, email)
    make(sites.usual, email, proved=False)
    visitor.open("/dev/mailbox?q=" + email)
    expect(visitor.page.get_by_role("article")).to_have_count(2)


@state
def message(visitor: Visitor, sites: Sites) -> None:
    mailbox_full(visitor, sites)
    visitor.page.get_by_role("link", name="See it as HTML").last.click()
    visitor.sees("Confirm your address for Latchkey")


@state
def api_docs(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/api/v1/docs")
    for summary in visitor.page.locator("summary").all()[::4]:
        summary.click()
