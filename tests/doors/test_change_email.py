"""Changing the address: it takes effect when it is proved, and the old one is told."""

import pytest
from apiflask import APIFlask

from tests.account_kit import (
    ALICE,
    BOB,
    AccountDoor,
    AccountJson,
    AccountPages,
    account_of,
    add_unproved,
    another,
    disable,
    in_store,
    later,
    mailed,
    mails,
    move,
    reset_link,
    signed_in,
)
from tests.database_kit import on_every_database
from webapp.stores import users

pytestmark = on_every_database

pytest_plugins = "tests.doors.account_fixtures"

NEW = "alice@new.example"


def test_nothing_changes_before_the_new_address_is_proved(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    assert door.change_email(NEW).is_fine
    assert door.who_am_i() == ALICE
    assert another(door).sign_in(NEW).status == 401
    assert another(door).sign_in(ALICE).is_fine


def test_it_takes_effect_when_the_new_address_is_proved(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    move(door, NEW)
    assert door.who_am_i() == NEW
    assert another(door).sign_in(ALICE).status == 401
    assert another(door).sign_in(NEW).is_fine


def test_opening_the_link_uses_nothing_up(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    door.change_email(NEW)
    token = mailed(app, NEW, "email_change")
    page = another(door).open("/verify-email", token)
    assert page.is_fine
    assert NEW in page.text
    assert ALICE in page.text
    assert door.who_am_i() == ALICE
    assert door.verify(token).is_fine


def test_the_old_address_is_told_twice(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.change_email(NEW)
    [asked] = mails(door.app, ALICE, "email_change_requested")
    assert NEW in asked.text
    assert not mails(door.app, ALICE, "email_changed")
    door.verify(mailed(door.app, NEW, "email_change"))
    [changed] = mails(door.app, ALICE, "email_changed")
    assert NEW in changed.text


def test_the_link_works_once(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.change_email(NEW)
    token = mailed(door.app, NEW, "email_change")
    assert door.verify(token).is_fine
    assert door.verify(token).status == 400


def test_the_newest_request_ends_the_older(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.change_email("first@new.example")
    door.change_email(NEW)
    assert door.verify(mailed(door.app, "first@new.example", "email_change")).status == 400
    assert door.verify(mailed(door.app, NEW, "email_change")).is_fine


def test_ones_own_address_is_no_change(account_door: AccountDoor) -> None:
    answer = signed_in(account_door).change_email(" Alice@Example.com ")
    assert answer.status == 422
    assert answer.fields == {"email"}


@pytest.mark.parametrize("typed", ["", "alice", "alice@nowhere", "a@b@c.example"])
def test_what_is_no_address_is_refused(account_door: AccountDoor, typed: str) -> None:
    answer = signed_in(account_door).change_email(typed)
    assert answer.status == 422
    assert answer.fields == {"email"}


def test_json_asks_for_the_present_password(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    answer = door.change_email(NEW, "not my password")
    [error] = answer.response.get_json()["errors"]
    assert (answer.status, error["field"], error["code"]) == (422, "password", "wrong_password")
    assert not mails(app, NEW, "email_change")


def test_a_taken_address_is_answered_alike_and_its_owner_told(account_door: AccountDoor) -> None:
    account_door.make_account(BOB)
    door = signed_in(account_door)
    taken, free = door.change_email(BOB), door.change_email(NEW)
    assert (taken.status, taken.text) == (free.status, free.text)
    assert taken.response.headers.get("Location") == free.response.headers.get("Location")
    assert len(mails(door.app, BOB, "email_change_taken")) == 1
    assert not mails(door.app, BOB, "email_change")
    assert door.who_am_i() == ALICE


def test_nothing_tells_afterwards_that_an_address_was_taken(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    another(door).make_account(BOB)
    shown = []
    for email in (BOB, NEW):
        door.change_email(email)
        pages = [door.client.get(page) for page in ("/account/security", "/account/security/email")]
        links = door.client.get("/account/export").get_json()["links"]
        told = [email in page.text for page in pages], [link["email"] for link in links]
        shown.append(str(told).replace(email, "it"))
    assert shown[0] == shown[1]


def test_a_taken_address_ends_the_older_request_too(account_door: AccountDoor) -> None:
    """As a free one does; else whether the older link still works would tell them apart."""
    account_door.make_account(BOB)
    door = signed_in(account_door)
    door.change_email(NEW)
    door.change_email(BOB)
    assert door.verify(mailed(door.app, NEW, "email_change")).status == 400


def test_a_holder_that_never_proved_the_address_gives_way(account_door: AccountDoor) -> None:
    another(account_door).sign_up(NEW)
    squatter = account_of(account_door.app, NEW).id
    door = signed_in(account_door)
    move(door, NEW)
    assert door.who_am_i() == NEW
    assert in_store(door.app, lambda: users.find(squatter)) is None


def test_an_address_that_was_taken_meanwhile_is_refused(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.change_email(NEW)
    token = mailed(door.app, NEW, "email_change")
    another(door).make_account(NEW)
    assert door.verify(token).status == 400
    assert door.who_am_i() == ALICE
    assert another(door).sign_in(NEW).is_fine


def test_a_disabled_account_does_not_move(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.change_email(NEW)
    disable(door.app)
    assert door.verify(mailed(door.app, NEW, "email_change")).status == 400
    assert account_of(door.app, ALICE)


def test_a_link_to_a_new_password_at_the_old_address_dies(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    token = reset_link(another(door))
    move(door, NEW)
    assert another(door).reset(token).status == 400


def test_an_old_sign_in_has_to_be_confirmed_first(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    with later(minutes=11):
        assert door.change_email(NEW).code == "reauthentication_required"
    assert not mails(app, NEW, "email_change")


def test_a_refused_link_does_not_take_the_squatter_away(app: APIFlask) -> None:
    """All or nothing: what a change does on its way is undone when it fails."""
    door = signed_in(AccountJson(app))
    door.change_email(NEW)
    token = mailed(app, NEW, "email_change")
    squatter = add_unproved(app, NEW)
    disable(app)
    assert door.verify(token).status == 400
    assert in_store(app, lambda: users.find(squatter))
