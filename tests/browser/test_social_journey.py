"""Signing in with a provider in a real browser, with and without scripts."""

import pytest

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, MakeSite, Visitor, mailed_link, new_address
from tests.browser.kit import make_account as make
from tests.browser.pretend_states import type_somebody
from tests.browser.social_states import be, come_with, go_to
from tests.support import LiveSite

pytestmark = IN_ONE_WORKER


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def anybody(request: pytest.FixtureRequest, new_context: NewContext, site: LiveSite) -> Visitor:
    """Somebody whose browser runs scripts, and somebody whose does not."""
    return Visitor(new_context(java_script_enabled=request.param).new_page(), site.url)


@pytest.mark.parametrize("label", ["Google", "Facebook", "GitHub"])
def test_one_comes_back_to_where_one_was_going(anybody: Visitor, label: str) -> None:
    email = new_address()
    anybody.open("/account/devices")
    go_to(anybody, label)
    be(anybody, email)
    anybody.sees("Where you are signed in")
    anybody.open("/account")
    anybody.is_signed_in_as(email)


def test_apples_form_arrives_without_our_cookies_and_signs_in_all_the_same(
    anybody: Visitor,
) -> None:
    email = new_address()
    anybody.open("/login?next=/account/devices")
    go_to(anybody, "Apple")
    type_somebody(anybody, "Ada Lovelace", email)
    anybody.press("Continue")
    anybody.sees("Back to Latchkey")
    anybody.press("Continue")
    anybody.sees("Where you are signed in")
    anybody.open("/account")
    assert anybody.field("Your name").input_value() == "Ada Lovelace"


def test_a_taken_address_is_proved_and_then_linked(anybody: Visitor, site: LiveSite) -> None:
    email = make(site.url)
    come_with(anybody, "GitHub", email)
    anybody.sees("You have an account already")
    anybody.page.get_by_role("link", name="Sign in").click()
    anybody.sign_in(email)
    anybody.sees("Connect GitHub?")
    anybody.press("Connect GitHub")
    anybody.sees("Ways to sign in")
    anybody.context.clear_cookies()
    come_with(anybody, "GitHub", email)
    anybody.is_signed_in_as(email)


def test_an_address_is_proved_in_the_browser_that_came(anybody: Visitor, site: LiveSite) -> None:
    email = new_address()
    come_with(anybody, "Google", email, "Unverified")
    anybody.sees("One more step")
    anybody.press("Send the link")
    anybody.sees("Check your mail")
    anybody.page.goto(mailed_link(site.url, email, "/auth/address/confirm"))
    anybody.press("Confirm and sign in")
    anybody.is_signed_in_as(email)


def test_strict_cookies_find_their_way(new_context: NewContext, make_site: MakeSite) -> None:
    site = make_site(FAKE_PROVIDERS="google", COOKIE_SAMESITE="Strict")
    visitor = Visitor(new_context().new_page(), site.url)
    email = new_address()
    come_with(visitor, "Google", email)
    visitor.is_signed_in_as(email)


def test_confirming_with_the_provider_what_matters(anybody: Visitor) -> None:
    email = new_address()
    come_with(anybody, "Google", email)
    anybody.sees("Your account")
    anybody.open("/reauthenticate?next=/account/delete")
    go_to(anybody, "Google", "Confirm with")
    be(anybody, email)
    anybody.sees("Delete your account?")
