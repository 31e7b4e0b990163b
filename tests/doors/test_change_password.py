"""Changing the password: the present one is asked for, and the other sessions end."""

import pytest
from apiflask import APIFlask

from tests.account_kit import (
    ALICE,
    BOB,
    NEW_PASSWORD,
    AccountDoor,
    AccountJson,
    AccountPages,
    another,
    later,
    mailed,
    mails,
    reset_link,
    signed_in,
)
from tests.conftest import MakeApp
from tests.support import PASSWORD

pytest_plugins = "tests.doors.account_fixtures"

WRONG = "not my password"


def test_the_new_password_counts_from_then_on(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    assert door.change_password().is_fine
    assert another(door).sign_in(ALICE).status == 401
    assert another(door).sign_in(ALICE, NEW_PASSWORD).is_fine


def test_a_wrong_present_password_changes_nothing(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    answer = door.change_password(WRONG)
    assert answer.status == 422
    assert answer.fields == {"current_password"}
    assert another(door).sign_in(ALICE).is_fine


def test_a_wrong_present_password_has_a_stable_code(app: APIFlask) -> None:
    answer = signed_in(AccountJson(app)).change_password(WRONG)
    [error] = answer.response.get_json()["errors"]
    assert (error["field"], error["code"]) == ("current_password", "wrong_password")


@pytest.mark.parametrize("refused", ["", "short", "password", "x" * 1025])
def test_a_new_password_that_cannot_be_used_is_refused(
    account_door: AccountDoor, refused: str
) -> None:
    door = signed_in(account_door)
    answer = door.change_password(PASSWORD, refused)
    assert answer.status == 422
    assert answer.fields == {"new_password"}
    assert another(door).sign_in(ALICE).is_fine


def test_the_other_sessions_end_and_this_one_stays(account_door: AccountDoor) -> None:
    here, there = signed_in(account_door), another(account_door)
    there.sign_in(ALICE)
    here.change_password()
    assert there.who_am_i() is None
    assert here.who_am_i() == ALICE
    assert here.refresh().is_fine
    assert here.who_am_i() == ALICE


def test_other_peoples_sessions_stay(account_door: AccountDoor) -> None:
    bob = signed_in(another(account_door), BOB)
    signed_in(account_door).change_password()
    assert bob.who_am_i() == BOB


def test_a_notice_is_mailed(account_door: AccountDoor) -> None:
    signed_in(account_door).change_password()
    assert len(mails(account_door.app, ALICE, "password_changed")) == 1


def test_nothing_is_mailed_when_it_was_refused(account_door: AccountDoor) -> None:
    signed_in(account_door).change_password(WRONG)
    assert not mails(account_door.app, ALICE, "password_changed")


def test_a_link_to_a_new_password_falls_with_it(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    token = reset_link(another(door))
    door.change_password()
    assert door.reset(token, "a third horse 19").status == 400


def test_a_pending_change_of_address_falls_with_it(account_door: AccountDoor) -> None:
    """Else a thief who asked for it while signed in would move the account afterwards."""
    thief, owner = signed_in(account_door), another(account_door)
    thief.change_email("thief@example.com")
    owner.sign_in(ALICE)
    owner.change_password()
    pending = mailed(thief.app, "thief@example.com", "email_change")
    assert thief.verify(pending).status == 400
    assert owner.who_am_i() == ALICE


def test_an_old_sign_in_has_to_be_confirmed_first(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    with later(minutes=10, seconds=2):
        answer = door.change_password()
        assert (answer.status, answer.code) == (401, "reauthentication_required")
    with later(minutes=9, seconds=50):
        assert door.change_password().is_fine


@pytest.mark.parametrize("door_of", [AccountPages, AccountJson])
def test_wrong_passwords_count_for_the_throttle(
    make_app: MakeApp, door_of: type[AccountPages | AccountJson]
) -> None:
    door = signed_in(door_of(make_app(rate_limits=True)))
    assert [door.change_password(WRONG).status for _ in range(10)] == [422] * 10
    answer = door.change_password(PASSWORD)
    assert answer.status == 429
    assert int(answer.response.headers["Retry-After"]) > 0


def test_it_needs_a_sign_in(app: APIFlask) -> None:
    assert AccountJson(app).change_password().status == 401
    page = AccountPages(app).client.get("/account/security/password")
    assert page.headers["Location"] == "/login?next=/account/security/password"
