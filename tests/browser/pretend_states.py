"""The pages of the pretend providers in the states that people meet them in."""

from urllib.parse import urlencode

from playwright.sync_api import expect

from tests.browser.kit import Visitor
from tests.browser.states import LONG_NAME, Sites, fails, long_address, state

PATHS = {
    "google": "/authorize",
    "apple": "/authorize",
    "facebook": "/dialog/oauth",
    "github": "/login/oauth/authorize",
}


def ask(visitor: Visitor, name: str, **changes: str) -> None:
    """Open the consent page of a provider, as an app has the browser do."""
    asked = {
        "client_id": f"pretend-{name}",
        "redirect_uri": f"{visitor.url}/auth/{name}/callback",
        "response_type": "code",
        "scope": "openid email name" if name == "apple" else "openid email profile",
        "state": "state",
    }
    if name == "apple":
        asked["response_mode"] = "form_post"
    visitor.open(f"/dev/providers/{name}{PATHS[name]}?{urlencode(asked | changes)}")


def type_somebody(visitor: Visitor, name: str, email: str) -> None:
    """Choose to be somebody else, and say who."""
    visitor.page.get_by_role("radio", name="Somebody else").check()
    visitor.field("Name").fill(name)
    visitor.field("Email address").fill(email)


@state
def pretend_google(visitor: Visitor, sites: Sites) -> None:
    ask(visitor, "google")
    visitor.sees("Continue to Latchkey?")
    expect(visitor.field("Email address")).to_be_hidden()


@state
def pretend_apple_filled(visitor: Visitor, sites: Sites) -> None:
    ask(visitor, "apple")
    type_somebody(visitor, LONG_NAME, long_address())
    visitor.page.get_by_role("radio", name="Unverified address").check()


@state
def pretend_facebook_with_errors(visitor: Visitor, sites: Sites) -> None:
    ask(visitor, "facebook")
    type_somebody(visitor, LONG_NAME, "")
    visitor.press("Continue")
    fails(visitor, "Latchkey is told nothing yet")
    expect(visitor.field("Name")).to_have_value(LONG_NAME)


@state
def pretend_github_with_a_known_address(visitor: Visitor, sites: Sites) -> None:
    email = long_address()
    ask(visitor, "github", login_hint=email)
    expect(visitor.field("Email address")).to_have_value(email)


@state
def pretend_apple_answers(visitor: Visitor, sites: Sites) -> None:
    ask(visitor, "apple")
    visitor.press("Continue")
    visitor.sees("Back to Latchkey")


@state
def pretend_refused(visitor: Visitor, sites: Sites) -> None:
    ask(visitor, "google", redirect_uri="https://elsewhere.example/" + 60 * "x")
    expect(visitor.page.locator("main")).to_contain_text("redirect_uri_mismatch")


@state
def pretend_branded(visitor: Visitor, sites: Sites) -> None:
    ask(Visitor(visitor.page, sites.branded), "google")
    visitor.page.get_by_role("radio", name="Ben Okafor").check()
