"""Taking an address back: the link that the old one gets, good for 7 days."""

from apiflask import APIFlask

from tests.account_kit import (
    ALICE,
    NEW_PASSWORD,
    AccountDoor,
    AccountPages,
    account_of,
    another,
    disable,
    later,
    mailed,
    mails,
    move,
    reset_link,
    signed_in,
)
from tests.doors_kit import Answer
from tests.support import token_in

pytest_plugins = "tests.doors.account_fixtures"

NEW, THIRD = "alice@new.example", "alice@third.example"
UNDO = "/undo-email-change"


def test_opening_the_link_uses_nothing_up(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    token = move(door, NEW)
    page = another(door).open(UNDO, token)
    assert page.is_fine
    assert ALICE in page.text
    assert door.who_am_i() == NEW
    assert undo(app, token).is_fine


def test_it_brings_the_address_back_and_ends_every_session(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    token = move(door, NEW)
    there = another(door)
    there.sign_in(NEW)
    assert undo(door.app, token).is_fine
    assert door.who_am_i() is None
    assert there.who_am_i() is None
    assert another(door).sign_in(NEW).status == 401


def test_it_leads_to_a_new_password(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    location = undo(app, move(door, NEW)).response.headers["Location"]
    assert location.startswith("/reset-password?token=")
    assert door.reset(token_in(location)).is_fine
    assert door.sign_in(ALICE, NEW_PASSWORD).is_fine


def test_it_works_for_7_days(app: APIFlask) -> None:
    token = move(signed_in(AccountPages(app)), NEW)
    with later(days=7, seconds=1):
        assert undo(app, token).status == 400
    with later(days=6, hours=23):
        assert undo(app, token).is_fine


def test_it_works_once(app: APIFlask) -> None:
    token = move(signed_in(AccountPages(app)), NEW)
    assert undo(app, token).is_fine
    assert undo(app, token).status == 400


def test_both_addresses_are_told(app: APIFlask) -> None:
    undo(app, move(signed_in(AccountPages(app)), NEW))
    assert len(mails(app, ALICE, "email_change_undone")) == 1
    assert len(mails(app, NEW, "email_change_undone")) == 1


def test_the_first_address_of_a_chain_wins(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    first = move(door, NEW)
    second = move(door, THIRD, old=NEW)
    assert undo(door.app, first).is_fine
    assert account_of(door.app, ALICE)
    assert undo(door.app, second).status == 400


def test_a_later_address_of_a_chain_does_not_stop_the_first(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    first = move(door, NEW)
    second = move(door, THIRD, old=NEW)
    assert undo(door.app, second).is_fine
    assert account_of(door.app, NEW)
    assert undo(door.app, first).is_fine
    assert account_of(door.app, ALICE)


def test_an_address_that_somebody_else_has_by_now_stays_theirs(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    token = move(door, NEW)
    another(door).make_account(ALICE)
    owner = account_of(door.app, ALICE).id
    assert undo(door.app, token).status == 400
    assert account_of(door.app, ALICE).id == owner
    assert door.who_am_i() == NEW


def test_a_disabled_account_does_not_move_back(app: APIFlask) -> None:
    token = move(signed_in(AccountPages(app)), NEW)
    disable(app, NEW)
    assert undo(app, token).status == 400


def test_a_pending_change_falls_with_it(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    token = move(door, NEW)
    door.change_email(THIRD)
    pending = mailed(door.app, THIRD, "email_change")
    undo(door.app, token)
    assert door.verify(pending).status == 400


def test_a_reset_asked_for_at_the_other_address_falls_with_it(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    token = move(door, NEW)
    pending = reset_link(another(door), NEW)
    undo(door.app, token)
    assert another(door).reset(pending).status == 400


def test_a_notice_at_the_other_address_opens_nothing_afterwards(account_door: AccountDoor) -> None:
    """Its link leads to a new password: the thief's mailbox must not keep such a key."""
    door = signed_in(account_door)
    token = move(door, NEW)
    another(door).sign_in(NEW)
    not_me = mailed(door.app, NEW, "new_sign_in")
    undo(door.app, token)
    assert AccountPages(door.app).press("/not-me", not_me).status == 400


def undo(app: APIFlask, token: str) -> Answer:
    """Take the address back in a browser that is signed in nowhere."""
    return AccountPages(app).press(UNDO, token)
