"""Accounts that nobody has proved, that are shut, or that wait to be erased."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.social.kit import Browser, Place, heading_of, make_account, new_address, press, prove
from tests.support import PASSWORD, live_site, token_in
from webapp import clock
from webapp.stores import deletions, users
from webapp.stores.sql_sessions import SqlSessions

pytestmark = pytest.mark.xdist_group("social")
NEW_PASSWORD = "another horse 18"


@pytest.fixture(scope="module")
def lax_place(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A site on the same database that signs people in before their address is proved."""
    folder = tmp_path_factory.mktemp("lax")
    url = place.site.environment["DATABASE_URL"]
    given = {"FAKE_PROVIDERS": "google,github,apple,facebook", "EMAIL_VERIFICATION": "optional"}
    with live_site(url, folder, 1, **given) as site:
        yield Place(site, place.inside)


@dataclass
class Trap:
    """What somebody prepared at an address that is not theirs."""

    email: str
    owner: str
    browser: Browser
    verify_link: str
    reset_link: str
    change_link: str
    github_name: str


def set_trap(place: Place) -> Trap:
    """Sign up with somebody else's address, and leave open every door that there is."""
    email, mine = new_address("victim"), new_address("attacker")
    browser = place.browser()
    sent = {"email": email, "password": PASSWORD, "name": "Trapper"}
    assert browser.call("POST", "signup", sent).status_code == 201
    assert browser.call("POST", "password/forgot", {"email": email}).ok
    name = f"Eve {email}"
    browser.come_from("github", "", "/account/connections", "connect", name=name, address="none")
    browser.submit("/account/connections/link")
    assert browser.connected() == ["github"]
    change = {"email": mine, "password": PASSWORD}
    assert browser.call("POST", "email/change", change).status_code == 202
    return Trap(
        email=email,
        owner=place.known(email).id,
        browser=browser,
        verify_link=place.link(email, "verify_email"),
        reset_link=place.link(email, "reset_password"),
        change_link=place.link(mine, "email_change"),
        github_name=name,
    )


@pytest.fixture(scope="module", params=["by the provider", "by a mailed link"])
def sprung(request: pytest.FixtureRequest, lax_place: Place) -> tuple[Trap, Browser, str]:
    """A trap into which its victim has come, in either way of proving the address."""
    trap = set_trap(lax_place)
    newcomer = lax_place.browser()
    if request.param == "by the provider":
        newcomer.come_from("google", trap.email, name="Vic Tim")
        provider = "google"
    else:
        newcomer.come_from("facebook", "", name="Vic Tim", address="none")
        newcomer.submit("/auth/address", email=trap.email)
        prove(newcomer, lax_place.link(trap.email))
        provider = "facebook"
    return trap, newcomer, provider


def test_the_newcomer_has_it(lax_place: Place, sprung: tuple[Trap, Browser, str]) -> None:
    trap, newcomer, provider = sprung
    me = newcomer.me()
    assert me["id"] == trap.owner
    assert (me["email"], me["email_verified"], me["name"]) == (trap.email, True, "Vic Tim")
    assert newcomer.connected() == [provider]
    assert ("given_to_owner", "") in lax_place.events(trap.email)


def test_the_password_is_void(lax_place: Place, sprung: tuple[Trap, Browser, str]) -> None:
    trap, _, _ = sprung
    sent = {"email": trap.email, "password": PASSWORD}
    assert lax_place.browser().call("POST", "login", sent).status_code == 401
    assert lax_place.known(trap.email).password_hash is None


def test_the_session_is_void(lax_place: Place, sprung: tuple[Trap, Browser, str]) -> None:
    trap, newcomer, _ = sprung
    assert trap.browser.call("POST", "refresh").status_code == 401
    found = lax_place.look(lambda: SqlSessions().list_of(trap.owner, clock.now()))
    assert len(found) == 1
    assert newcomer.call("POST", "refresh").status_code == 200


def test_the_links_are_void(lax_place: Place, sprung: tuple[Trap, Browser, str]) -> None:
    trap, _, _ = sprung
    for link in (trap.verify_link, trap.change_link):
        sent = {"token": token_in(link)}
        assert trap.browser.call("POST", "email/verify", sent).status_code == 400
    sent = {"token": token_in(trap.reset_link), "password": NEW_PASSWORD}
    assert trap.browser.call("POST", "password/reset", sent).status_code == 400
    assert lax_place.known(trap.email).id == trap.owner


def test_the_linked_identity_is_void(lax_place: Place, sprung: tuple[Trap, Browser, str]) -> None:
    trap, _, provider = sprung
    found = [item.provider for item in lax_place.identities(trap.email)]
    assert found == [provider]
    browser = lax_place.browser()
    browser.come_from("github", "", name=trap.github_name, address="none")
    assert browser.who() is None


def test_an_account_that_is_in_use_is_never_given_away_for_an_unverified_address(
    lax_place: Place,
) -> None:
    trap = set_trap(lax_place)
    browser = lax_place.browser()
    response = browser.come_from("github", trap.email, address="unverified")
    assert heading_of(response) == "One more step"
    assert browser.who() is None
    assert trap.browser.who() == trap.email
    assert lax_place.known(trap.email).password_hash


@pytest.mark.parametrize("provider", ["google", "github"])
def test_a_shut_account_stays_shut(place: Place, provider: str) -> None:
    email, browser = new_address(), place.browser()
    place.browser().come_from(provider, email)
    user_id = place.known(email).id
    place.change(lambda: users.set_disabled(user_id, clock.now()))
    response = browser.come_from(provider, email)
    assert response.status_code == 401
    assert "You cannot sign in to this account." in response.text
    assert browser.who() is None
    assert browser.session.cookies.get("access_token") is None


def test_a_shut_account_is_not_given_away_by_its_address(place: Place) -> None:
    email, browser = new_address(), place.browser()
    assert place.browser().call("POST", "signup", {"email": email, "password": PASSWORD}).ok
    user_id = place.known(email).id
    place.change(lambda: users.set_disabled(user_id, clock.now()))
    assert heading_of(browser.come_from("google", email)) == "You have an account already"
    assert browser.who() is None
    assert not place.known(email).email_verified


def test_an_account_that_waits_to_be_erased_comes_back_to_its_own_identity(place: Place) -> None:
    email, browser = new_address(), place.browser()
    place.browser().come_from("google", email)
    user_id = place.known(email).id
    place.change(lambda: deletions.set_deleted(user_id, clock.now()))
    browser.come_from("google", email)
    assert browser.who() == email
    assert not place.known(email).is_deleted
    assert ("account_restored", "google") in place.events(email)


def test_an_account_that_waits_to_be_erased_is_not_given_to_another_identity(
    place: Place,
) -> None:
    email, browser = new_address(), place.browser()
    make_account(place, email)
    user_id = place.known(email).id
    place.change(lambda: deletions.set_deleted(user_id, clock.now()))
    assert heading_of(browser.come_from("google", email)) == "You have an account already"
    assert place.known(email).is_deleted
    assert place.identities(email) == []


def test_an_account_made_between_the_mail_and_its_link_has_to_be_proved(place: Place) -> None:
    email, browser = new_address(), place.browser()
    browser.come_from("github", email, address="unverified")
    browser.submit("/auth/address", email=email)
    link = place.link(email)
    make_account(place, email)
    response = prove(browser, link)
    assert "/login?next=/account/connections/link" in response.url
    assert browser.who() is None
    browser.sign_in(email, target="/account/connections/link")
    browser.submit("/account/connections/link")
    assert browser.connected() == ["github"]


def test_a_newer_link_makes_the_earlier_one_void(place: Place) -> None:
    email, browser = new_address(), place.browser()
    browser.come_from("github", email, address="unverified")
    links = []
    for _ in range(2):
        browser.submit("/auth/address", email=email)
        links.append(place.link(email))
    assert press(browser, links[0]).status_code == 400
    assert prove(browser, links[1]).status_code == 200
    assert browser.who() == email


def test_a_link_for_one_identity_proves_nothing_for_another_browser_of_the_same(
    place: Place,
) -> None:
    """Whoever signs in with the same unverified address elsewhere has another mark."""
    email = new_address()
    first, second = place.browser(), place.browser()
    for browser in (first, second):
        browser.come_from("github", email, address="unverified")
    first.submit("/auth/address", email=email)
    assert press(second, place.link(email)).status_code == 400
    assert second.who() is None
    assert place.account(email) is None


def test_what_is_no_address_is_said_beside_the_field(place: Place, browser: Browser) -> None:
    browser.come_from("github", "", name=new_address(), address="none")
    response = browser.submit("/auth/address", email="nonsense")
    assert response.status_code == 422
    assert 'id="email-error"' in response.text


def test_without_an_identity_that_waits_there_is_nothing_to_prove(browser: Browser) -> None:
    assert browser.get("/auth/address").status_code == 404
    response = browser.submit("/forgot-password", "/auth/address", email=new_address())
    assert response.status_code == 404
