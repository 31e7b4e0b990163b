"""From a provider's button to an account, at each provider, on pages over real HTTP."""

import pytest

from tests.social.kit import (
    ALL,
    Browser,
    Place,
    heading_of,
    make_account,
    new_address,
    path_of,
    press,
    prove,
)
from tests.support import PASSWORD

pytestmark = pytest.mark.xdist_group("social")
every_provider = pytest.mark.parametrize("provider", ALL)


@every_provider
def test_somebody_new_gets_an_account(place: Place, browser: Browser, provider: str) -> None:
    email = new_address(provider)
    response = browser.come_from(provider, email, "/account/devices?from=there")
    assert response.status_code == 200
    assert response.url == f"{place.url}/account/devices?from=there"
    me = browser.me()
    assert (me["email"], me["email_verified"], me["name"]) == (email, True, "Ann Lee")
    assert browser.connected() == [provider]
    assert browser.attempts() == []
    events = place.events(email)
    assert ("signed_up", provider) in events
    assert ("signed_in", provider) in events


@every_provider
def test_the_same_person_comes_to_the_same_account(place: Place, provider: str) -> None:
    email = new_address(provider)
    first, second = place.browser(), place.browser()
    first.come_from(provider, email)
    second.come_from(provider, email, "/account/security", first_time="", name="Somebody Else")
    assert second.me()["id"] == first.me()["id"]
    assert second.me()["name"] == "Ann Lee"


@every_provider
def test_a_new_device_is_told_of_and_the_first_is_not(place: Place, provider: str) -> None:
    email = new_address(provider)
    first = place.browser()
    first.come_from(provider, email)
    first.come_from(provider, email)
    assert place.mails(email, "new_sign_in") == []
    place.browser().come_from(provider, email)
    assert len(place.mails(email, "new_sign_in")) == 1


@every_provider
def test_signed_in_again_one_session_takes_the_place_of_the_other(
    place: Place, provider: str
) -> None:
    email, browser = new_address(provider), place.browser()
    browser.come_from(provider, email)
    browser.come_from(provider, email)
    assert len(browser.call("GET", "sessions").json()["data"]) == 1


@every_provider
def test_whoever_cancels_can_go_another_way(place: Place, provider: str) -> None:
    browser = place.browser()
    response = browser.come_from(provider, new_address(), "/account/devices", answer="cancel")
    assert response.status_code == 400
    assert "You cancelled." in response.text
    assert f'href="/auth/{provider}/start?next=/account/devices"' in response.text
    assert 'href="/login?next=/account/devices"' in response.text
    assert "access_denied" in (log := place.log_of(response)) or "cancelled" in log
    assert browser.who() is None
    assert browser.attempts() == []


@pytest.mark.parametrize("provider", ["google", "apple", "github"])
def test_an_unverified_address_has_to_be_proved(place: Place, provider: str) -> None:
    """Facebook gives confirmed addresses alone."""
    email, browser = new_address(provider), place.browser()
    response = browser.come_from(provider, email, "/account/devices", address="unverified")
    assert path_of(response.url) == "/auth/address"
    assert f'value="{email}"' in response.text
    assert place.account(email) is None
    assert browser.who() is None
    _prove_address(place, browser, email)
    assert place.known(email).email_verified


@every_provider
def test_without_an_address_one_is_asked_for(place: Place, provider: str) -> None:
    email, browser = new_address(provider), place.browser()
    response = browser.come_from(
        provider, "", "/account/devices", name=f"Nobody {email}", address="none"
    )
    assert path_of(response.url) == "/auth/address"
    assert "did not tell us" in response.text
    _prove_address(place, browser, email)
    assert place.known(email).name == f"Nobody {email}"
    again = place.browser()
    response = again.come_from(provider, "", name=f"Nobody {email}", address="none")
    assert again.who() == email


def _prove_address(place: Place, browser: Browser, email: str) -> None:
    """Ask for the link and use it: in this browser alone, and once."""
    assert heading_of(browser.submit("/auth/address", email=email)) == "Check your mail"
    link = place.link(email)
    other = place.browser()
    assert "began in another browser" in other.get(link).text
    response = press(other, link)
    assert response.status_code == 400
    assert other.who() is None
    assert place.account(email) is None
    response = prove(browser, link)
    assert response.url == f"{place.url}/account/devices"
    assert browser.who() == email
    for used in (browser, other):
        assert press(used, link).status_code == 400
        assert used.get(link).status_code == 400


@every_provider
def test_an_address_that_has_an_account_is_told_by_mail_without_a_link(
    place: Place, provider: str
) -> None:
    email, browser = new_address(provider), place.browser()
    place.browser().come_from("google" if provider != "google" else "apple", email)
    browser.come_from(provider, "", name=f"Taker {email}", address="none")
    known = browser.submit("/auth/address", email=email)
    unknown = browser.submit("/auth/address", email=new_address())
    assert heading_of(known) == heading_of(unknown) == "Check your mail"
    assert place.mails(email, "prove_address") == []
    (mail,) = place.mails(email, "address_has_account")
    assert "token=" not in mail.text + mail.html
    assert browser.who() is None


@every_provider
def test_a_taken_address_has_to_be_proved_by_signing_in(place: Place, provider: str) -> None:
    email, browser = new_address(provider), place.browser()
    make_account(place, email)
    response = browser.come_from(provider, email, "/account/devices")
    assert heading_of(response) == "You have an account already"
    assert response.status_code == 200
    assert browser.who() is None
    assert place.identities(email) == []
    link_page = browser.sign_in(email, PASSWORD, "/account/connections/link")
    assert path_of(link_page.url) == "/account/connections/link"
    assert place.identities(email) == []
    done = browser.submit("/account/connections/link")
    assert path_of(done.url) == "/account/connections"
    assert browser.connected() == [provider]
    # Apple tells the name this once.
    assert browser.me()["name"] == "Ann Lee"
    by_provider, by_password = place.browser(), place.browser()
    by_provider.come_from(provider, email)
    by_password.sign_in(email)
    assert by_provider.me()["id"] == by_password.me()["id"] == browser.me()["id"]


def test_a_private_relay_address_is_as_good_as_any(place: Place, browser: Browser) -> None:
    email = new_address().replace("@example.org", "@privaterelay.appleid.com")
    browser.come_from("apple", email)
    assert browser.who() == email


def test_without_a_name_there_is_none(place: Place, browser: Browser) -> None:
    email = new_address()
    browser.come_from("apple", email, first_time="")
    assert browser.me()["name"] == ""
