"""A sign-in from a device that is new: told by mail, and disowned with the link in it."""

import re

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.account_kit import (
    ALICE,
    BOB,
    NEW_PASSWORD,
    AccountDoor,
    AccountJson,
    AccountPages,
    another,
    disable,
    later,
    mailed,
    mails,
    reset_link,
    signed_in,
)
from tests.conftest import MakeApp
from tests.support import token_in

pytest_plugins = "tests.doors.account_fixtures"


def told(door: AccountDoor, email: str = ALICE) -> int:
    """Return how often somebody was told of a sign-in from a new device."""
    return len(mails(door.app, email, "new_sign_in"))


def test_the_first_sign_in_of_all_is_no_news(account_door: AccountDoor) -> None:
    account_door.sign_up(ALICE)
    token = mailed(account_door.app, ALICE, "verify_email")
    another(account_door).verify(token)
    assert account_door.sign_in(ALICE).is_fine
    assert told(account_door) == 0


def test_the_browser_that_signed_up_is_known(account_door: AccountDoor) -> None:
    account_door.sign_up(ALICE)
    account_door.verify(mailed(account_door.app, ALICE, "verify_email"))
    account_door.sign_out()
    account_door.sign_in(ALICE)
    assert told(account_door) == 0


def test_a_browser_without_the_cookie_is_news(account_door: AccountDoor) -> None:
    signed_in(account_door)
    before = told(account_door)
    another(account_door).sign_in(ALICE)
    assert told(account_door) == before + 1


def test_a_known_browser_is_no_news_be_it_after_100_days(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    before = told(door)
    door.sign_out()
    door.sign_in(ALICE)
    with later(days=100):
        door.refresh()
        door.sign_in(ALICE)
    assert told(door) == before


def test_another_user_agent_with_the_cookie_is_no_news(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    before = told(door)
    door.sign_out()
    door.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 Firefox/999.0"
    door.sign_in(ALICE)
    assert told(door) == before


def test_the_cookie_of_another_account_is_worth_nothing(account_door: AccountDoor) -> None:
    bob = signed_in(another(account_door), BOB)
    signed_in(account_door)
    before = told(account_door)
    bob.sign_out()
    bob.sign_in(ALICE)
    assert told(account_door) == before + 1


def test_a_browser_that_two_people_share_is_known_to_both(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.make_account(BOB)
    door.sign_out()
    door.sign_in(BOB)
    before = told(door), told(door, BOB)
    for email in (ALICE, BOB):
        door.sign_out()
        door.sign_in(email)
    assert (told(door), told(door, BOB)) == before


def test_a_forged_cookie_is_worth_nothing(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    name, value = device_cookie(door.client)
    before = told(door)
    for forged in (value[:-1], "x" + value, value.rpartition(".")[0], "", "é", "." * 900):
        stranger = another(door)
        stranger.client.set_cookie(name, forged)
        stranger.sign_in(ALICE)
    assert told(door) == before + 6


def test_the_cookie_is_recognized_under_any_browser(account_door: AccountDoor) -> None:
    """The control of the test above: it is the value that counts."""
    door = signed_in(account_door)
    name, value = device_cookie(door.client)
    before = told(door)
    copy = another(door)
    copy.client.set_cookie(name, value)
    copy.sign_in(ALICE)
    assert told(door) == before


def test_a_cookie_from_before_a_reset_is_worth_nothing(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    before = told(door)
    with later(minutes=1):
        door.reset(reset_link(door))
        door.sign_in(ALICE, NEW_PASSWORD)
        assert told(door) == before + 1
        door.sign_out()
        door.sign_in(ALICE, NEW_PASSWORD)
    assert told(door) == before + 1


def test_the_cookie_is_hidden_and_lasts(app: APIFlask) -> None:
    AccountJson(app).make_account()
    line = _device_line(AccountJson(app).sign_in(ALICE).response.headers.getlist("Set-Cookie"))
    assert attributes(line) == {"HttpOnly", "Path=/", "SameSite=Lax", f"Max-Age={400 * 86400}"}


def test_in_production_the_cookie_is_bound_to_the_host(make_app: MakeApp) -> None:
    app = make_app(app_env="production", base_url="https://id.example", bcrypt_cost=10)
    door = AccountJson(app)
    door.client.environ_base |= {"wsgi.url_scheme": "https", "HTTP_HOST": "id.example"}
    door.sign_up(ALICE)
    door.verify(mailed(app, ALICE, "verify_email"))
    line = _device_line(door.sign_in(ALICE).response.headers.getlist("Set-Cookie"))
    assert line.startswith("__Host-device_")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} < attributes(line)
    assert "Domain" not in line


def test_the_cookie_opens_nothing(app: APIFlask) -> None:
    name, value = device_cookie(signed_in(AccountJson(app)).client)
    stranger = AccountJson(app)
    stranger.client.set_cookie(name, value)
    assert stranger.who_am_i() is None
    assert stranger.refresh().status == 401


def test_looking_at_the_link_ends_nothing(app: APIFlask) -> None:
    signed_in(AccountPages(app))
    thief = AccountPages(app)
    thief.sign_in(ALICE)
    page = AccountPages(app).open("/not-me", mailed(app, ALICE, "new_sign_in"))
    assert page.is_fine
    assert "127.0.0.1" in page.text
    assert thief.who_am_i() == ALICE


def test_the_button_ends_that_sign_in_and_leads_to_a_reset(app: APIFlask) -> None:
    owner, thief = signed_in(AccountPages(app)), AccountPages(app)
    thief.sign_in(ALICE)
    answer = AccountPages(app).press("/not-me", mailed(app, ALICE, "new_sign_in"))
    assert thief.who_am_i() is None
    assert owner.who_am_i() == ALICE
    location = answer.response.headers["Location"]
    assert location.startswith("/reset-password?token=")
    assert owner.reset(token_in(location)).is_fine
    assert owner.sign_in(ALICE, NEW_PASSWORD).is_fine
    assert thief.sign_in(ALICE).status == 401


def test_the_link_works_once_and_for_7_days(app: APIFlask) -> None:
    signed_in(AccountPages(app))
    token = mailed(app, ALICE, "new_sign_in")
    door = AccountPages(app)
    with later(days=7, seconds=1):
        assert door.press("/not-me", token).status == 400
    assert door.press("/not-me", token).is_fine
    assert door.press("/not-me", token).status == 400


def test_each_sign_in_has_a_link_of_its_own(app: APIFlask) -> None:
    signed_in(AccountPages(app))
    older = mailed(app, ALICE, "new_sign_in")
    AccountPages(app).sign_in(ALICE)
    newer = mailed(app, ALICE, "new_sign_in")
    door = AccountPages(app)
    assert door.press("/not-me", older).is_fine
    assert door.press("/not-me", newer).is_fine


def test_a_disabled_account_is_not_opened_by_it(app: APIFlask) -> None:
    signed_in(AccountPages(app))
    token = mailed(app, ALICE, "new_sign_in")
    disable(app)
    assert AccountPages(app).press("/not-me", token).status == 400


@pytest.mark.parametrize("door_of", [AccountPages, AccountJson])
def test_nobody_locks_a_known_device_out(
    make_app: MakeApp, door_of: type[AccountPages | AccountJson]
) -> None:
    owner = signed_in(door_of(make_app(rate_limits=True)))
    owner.sign_out()
    attacker = another(owner)
    statuses = [attacker.sign_in(ALICE, "a wrong guess").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert another(owner).sign_in(ALICE).status == 429
    assert owner.sign_in(ALICE).is_fine


def test_a_known_device_has_its_own_limit(make_app: MakeApp) -> None:
    owner = signed_in(AccountJson(make_app(rate_limits=True)))
    statuses = [owner.sign_in(ALICE, "a wrong guess").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def device_cookie(client: FlaskClient) -> tuple[str, str]:
    """Return the name and the value of what this browser is recognized by."""
    cookies = (client._cookies or {}).values()
    [found] = [cookie for cookie in cookies if cookie.key.startswith("device_")]
    return found.key, found.value


def attributes(line: str) -> set[str]:
    """Return the attributes of a Set-Cookie line; the date beside Max-Age says the same again."""
    found = re.sub(r"; Expires=[^;]+", "", line).split("; ")[1:]
    return set(found)


def _device_line(lines: list[str]) -> str:
    [found] = [line for line in lines if line.startswith(("device_", "__Host-device_"))]
    return found
