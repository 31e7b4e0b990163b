"""Ways to sign in to one's account: connected, disconnected, and the last one stays."""

from datetime import timedelta

import pytest
import requests
from sqlalchemy import update

from tests.social.kit import (
    ALL,
    Browser,
    Place,
    heading_of,
    make_account,
    new_address,
    path_of,
)
from tests.social.test_native import token_of
from tests.support import PASSWORD
from webapp import clock
from webapp.models import SessionRow
from webapp.stores.transactions import execute

pytestmark = pytest.mark.xdist_group("social")
CONNECTIONS = "/account/connections"
LINK = f"{CONNECTIONS}/link"


@pytest.fixture
def email(place: Place) -> str:
    """Somebody with a password."""
    made = new_address("owner")
    make_account(place, made)
    return made


@pytest.fixture
def owner(place: Place, email: str) -> Browser:
    """Their browser, in which they have just signed in."""
    browser = place.browser()
    browser.sign_in(email)
    assert browser.who() == email
    return browser


def connect(browser: Browser, provider: str, email: str = "", **fields: str) -> requests.Response:
    """Connect somebody at a provider, on pages."""
    address = email or new_address(provider)
    shown = browser.come_from(provider, address, CONNECTIONS, "connect", **fields)
    assert heading_of(shown) == f"Connect {provider.capitalize().replace('Github', 'GitHub')}?"
    return browser.submit(LINK)


def refusal_of(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def make_sign_in_old(place: Place, browser: Browser) -> None:
    """Make a sign-in eleven minutes old, and have the browser hold a token that says so."""
    found = browser.call("GET", "sessions").json()["data"]
    (current,) = [item["id"] for item in found if item["current"]]
    earlier = clock.now() - timedelta(minutes=11)
    place.change(
        lambda: execute(
            update(SessionRow).where(SessionRow.id == current).values(authenticated_at=earlier)
        )
    )
    assert browser.call("POST", "refresh").status_code == 200


@pytest.mark.parametrize("provider", ALL)
def test_connected_and_disconnected_on_pages(
    place: Place, owner: Browser, email: str, provider: str
) -> None:
    theirs = new_address(provider)
    shown = owner.come_from(provider, theirs, CONNECTIONS, "connect")
    assert path_of(shown.url) == LINK
    assert theirs in shown.text
    assert email in shown.text
    assert owner.connected() == []
    done = owner.submit(LINK)
    assert "It is connected." in done.text
    assert owner.connected() == [provider]
    assert theirs in owner.get(CONNECTIONS).text
    assert f"/auth/{provider}/start" not in owner.get(CONNECTIONS).text
    other = place.browser()
    other.come_from(provider, theirs)
    assert other.who() == email
    assert theirs in owner.get(f"{CONNECTIONS}/{provider}/unlink").text
    gone = owner.submit(f"{CONNECTIONS}/{provider}/unlink")
    assert "It is disconnected." in gone.text
    assert owner.connected() == []
    late = place.browser()
    late.come_from(provider, theirs)
    assert late.me()["id"] != owner.me()["id"]
    events = place.events(email)
    assert ("identity_linked", provider) in events
    assert ("identity_unlinked", provider) in events
    for template in ("identity_linked", "identity_unlinked"):
        (mail,) = place.mails(email, template)
        assert provider in mail.text.lower()
    assert place.mails(theirs, "identity_linked") == []


@pytest.mark.parametrize("provider", ALL)
def test_connected_and_disconnected_over_json(
    place: Place, owner: Browser, email: str, provider: str
) -> None:
    theirs = new_address(provider)
    body = token_of(place, provider, theirs)
    for _ in range(2):
        assert owner.call("POST", f"identities/{provider}", body).status_code == 204
    (item,) = owner.get("/api/v1/auth/identities").json()["data"]
    assert (item["provider"], item["email"]) == (provider, theirs)
    assert set(item) == {"provider", "email", "linked_at"}
    assert len(place.mails(email, "identity_linked")) == 1
    assert place.browser().call("POST", f"{provider}/login", body).json()["user"]["email"] == email
    assert owner.call("DELETE", f"identities/{provider}").status_code == 204
    assert refusal_of(owner.call("DELETE", f"identities/{provider}")) == (404, "not_found")
    assert refusal_of(owner.call("DELETE", "identities/nobody")) == (404, "not_found")


def test_the_last_way_in_stays(place: Place) -> None:
    browser, email = place.browser(), new_address()
    browser.come_from("google", email)
    assert refusal_of(browser.call("DELETE", "identities/google")) == (409, "last_sign_in_method")
    page = browser.submit(f"{CONNECTIONS}/google/unlink")
    assert page.status_code == 409
    assert "This is your only way in." in page.text
    assert browser.connected() == ["google"]
    connect(browser, "github")
    assert browser.call("DELETE", "identities/google").status_code == 204
    assert refusal_of(browser.call("DELETE", "identities/github")) == (409, "last_sign_in_method")


def test_an_identity_of_another_account_is_not_to_be_had(place: Place, owner: Browser) -> None:
    theirs, other = new_address(), place.browser()
    other.come_from("google", theirs)
    body = token_of(place, "google", theirs)
    assert refusal_of(owner.call("POST", "identities/google", body)) == (409, "already_linked")
    page = connect(owner, "google", theirs)
    assert page.status_code == 409
    assert "This is connected already" in page.text
    assert owner.connected() == []
    assert other.connected() == ["google"]


def test_a_second_identity_of_one_provider_is_refused(place: Place, owner: Browser) -> None:
    connect(owner, "google")
    body = token_of(place, "google", new_address())
    assert refusal_of(owner.call("POST", "identities/google", body)) == (409, "already_linked")
    assert connect(owner, "google").status_code == 409
    assert owner.connected() == ["google"]


def test_a_fresh_sign_in_is_demanded(place: Place, owner: Browser) -> None:
    connect(owner, "google")
    make_sign_in_old(place, owner)
    body = token_of(place, "github", new_address())
    for method, path in (("POST", "identities/github"), ("DELETE", "identities/google")):
        reply = owner.call(method, path, body if method == "POST" else None)
        assert refusal_of(reply) == (401, "reauthentication_required")
    for page in (LINK, f"{CONNECTIONS}/google/unlink"):
        assert path_of(owner.get(page).url) == "/reauthenticate"
    # The list can be looked at all the same.
    assert owner.connected() == ["google"]
    # The password, and on with it.
    page = owner.get(f"{CONNECTIONS}/google/unlink").url.removeprefix(place.url)
    done = owner.submit(page, present_password=PASSWORD)
    assert path_of(done.url) == f"{CONNECTIONS}/google/unlink"
    owner.submit(f"{CONNECTIONS}/google/unlink")
    assert owner.connected() == []


@pytest.mark.parametrize("provider", ALL)
def test_without_a_password_the_provider_confirms_who_one_is(place: Place, provider: str) -> None:
    email, browser = new_address(), place.browser()
    browser.come_from(provider, email)
    connect(browser, "github" if provider != "github" else "google")
    make_sign_in_old(place, browser)
    asked = browser.get(f"{CONNECTIONS}/{provider}/unlink")
    assert path_of(asked.url) == "/reauthenticate"
    target = f"{CONNECTIONS}/{provider}/unlink"
    assert f"/auth/{provider}/start?next={target}&amp;intent=reauthenticate" in asked.text
    # Somebody else's identity confirms nothing, be it known here or not.
    stranger = new_address()
    place.browser().come_from(provider, stranger)
    for other in (stranger, new_address()):
        refused = browser.come_from(provider, other, target, "reauthenticate")
        assert refused.status_code == 404
        assert heading_of(refused).startswith("Not signed in with")
        assert path_of(browser.get(target).url) == "/reauthenticate"
        assert browser.who() == email
    before = len(browser.call("GET", "sessions").json()["data"])
    done = browser.come_from(provider, email, target, "reauthenticate")
    assert path_of(done.url) == target
    browser.submit(target)
    assert provider not in browser.connected()
    assert len(browser.call("GET", "sessions").json()["data"]) == before
    assert ("reauthenticated", provider) in place.events(email)


def test_nobody_who_is_signed_out_is_confirmed(place: Place) -> None:
    email, browser = new_address(), place.browser()
    place.browser().come_from("google", email)
    response = browser.come_from("google", email, CONNECTIONS, "reauthenticate")
    assert response.status_code == 401
    assert browser.who() is None


def test_reauthentication_asks_the_provider_to_ask_again(browser: Browser) -> None:
    question = browser.start("google", "", "reauthenticate")
    assert "prompt=login" in question
    assert "max_age=0" in question
    assert "prompt" not in browser.start("google", "")


@pytest.fixture
def lured(owner: Browser) -> Browser:
    """The owner's browser, after a crafted link has led it through the attacker's own sign-in."""
    owner.come_from("google", new_address("attacker"), CONNECTIONS, "connect")
    return owner


def test_a_crafted_link_connects_nothing_by_itself(place: Place, lured: Browser) -> None:
    assert lured.connected() == []
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": place.url}):
        response = lured.session.post(place.url + LINK, headers=headers, timeout=30)
        assert response.status_code in (403, 422)
        assert lured.connected() == []
    assert lured.session.get(place.url + LINK + "?csrf_token=x", timeout=30).status_code == 200
    assert lured.connected() == []


def test_the_attackers_code_cannot_be_finished_in_the_owners_browser(
    place: Place, owner: Browser
) -> None:
    attacker = place.browser()
    question = attacker.start("google", CONNECTIONS, "connect")
    callback = attacker.answer(question, email=new_address("attacker"))
    assert owner.get(callback).status_code == 400
    assert path_of(owner.get(LINK).url) == CONNECTIONS
    response = owner.submit("/logout", LINK)
    assert response.status_code == 404
    assert owner.connected() == []


def test_over_json_it_needs_the_token_against_forgery(place: Place, owner: Browser) -> None:
    body = token_of(place, "google", new_address())
    url = f"{place.url}/api/v1/auth/identities/google"
    for method in ("POST", "DELETE"):
        reply = owner.session.request(method, url, json=body, timeout=30)
        assert refusal_of(reply) == (403, "csrf_failed")
    for method in ("GET", "POST", "DELETE"):
        path = url if method != "GET" else f"{place.url}/api/v1/auth/identities"
        reply = requests.request(method, path, json=body, timeout=30)
        assert refusal_of(reply) == (401, "not_signed_in")
    assert owner.connected() == []


def test_bad_input_to_connect(place: Place, owner: Browser) -> None:
    reply = owner.call("POST", "identities/google", {"access_token": "x"})
    assert refusal_of(reply) == (422, "validation_failed")
    reply = owner.call("POST", "identities/google", {"id_token": "x.y.z"})
    assert refusal_of(reply) == (401, "provider_token_invalid")
    reply = owner.call("POST", "identities/nobody", {"id_token": "x.y.z"})
    assert refusal_of(reply) == (404, "not_found")


def test_the_pages_send_strangers_to_sign_in(place: Place) -> None:
    for page in (CONNECTIONS, LINK, f"{CONNECTIONS}/google/unlink"):
        assert place.browser().get(page).url == f"{place.url}/login?next={page}"


def test_what_is_not_connected_cannot_be_disconnected(owner: Browser) -> None:
    assert owner.get(f"{CONNECTIONS}/google/unlink").status_code == 404
    assert owner.get(f"{CONNECTIONS}/nobody/unlink").status_code == 404


def test_the_export_holds_them_and_their_erasure_is_whole(place: Place, owner: Browser) -> None:
    connect(owner, "github", theirs := new_address())
    export = owner.get("/api/v1/auth/me/export").json()
    (item,) = export["identities"]
    assert item["provider"] == "github"
    assert item["email"] == theirs
    assert item["subject"] == place.identities(owner.me()["email"])[0].subject


def test_a_name_is_taken_over_where_there_is_none(place: Place, owner: Browser) -> None:
    connect(owner, "github", name="Git Hub")
    assert owner.me()["name"] == "Git Hub"
    connect(owner, "google", name="Goo Gle")
    assert owner.me()["name"] == "Git Hub"
