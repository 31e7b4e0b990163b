"""Getting back in with a link by mail."""

import re

import pytest
from apiflask import APIFlask
from sqlalchemy import update

from tests.account_kit import (
    ALICE,
    BOB,
    NEW_PASSWORD,
    AccountDoor,
    AccountJson,
    AccountPages,
    account_of,
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
from webapp.models import UserRow
from webapp.stores.transactions import execute

pytest_plugins = "tests.doors.account_fixtures"


def test_a_new_password_is_set_with_the_link(account_door: AccountDoor) -> None:
    account_door.make_account()
    assert account_door.reset(reset_link(account_door)).is_fine
    assert account_door.sign_in(ALICE).status == 401
    assert account_door.sign_in(ALICE, NEW_PASSWORD).is_fine


def test_opening_the_link_uses_nothing_up(app: APIFlask) -> None:
    door = AccountPages(app)
    door.make_account()
    token = reset_link(door)
    for _ in range(3):
        page = door.open("/reset-password", token)
        assert page.is_fine
        assert ALICE in page.text
    assert door.client.head("/reset-password", query_string={"token": token}).status_code == 200
    assert door.reset(token).is_fine


def test_the_link_works_once(account_door: AccountDoor) -> None:
    account_door.make_account()
    token = reset_link(account_door)
    assert account_door.reset(token).is_fine
    assert account_door.reset(token, "a third horse 19").status == 400
    assert account_door.sign_in(ALICE, NEW_PASSWORD).is_fine


def test_the_link_works_for_30_minutes(account_door: AccountDoor) -> None:
    account_door.make_account()
    token = reset_link(account_door)
    with later(minutes=30, seconds=1):
        assert account_door.reset(token).status == 400
    with later(minutes=29, seconds=50):
        assert account_door.reset(token).is_fine


def test_the_newest_link_ends_the_older(account_door: AccountDoor) -> None:
    account_door.make_account()
    older, newer = reset_link(account_door), reset_link(account_door)
    assert account_door.reset(older).status == 400
    assert account_door.reset(newer).is_fine


@pytest.mark.parametrize("refused", ["", "short", "password", "x" * 1025, "my alice@example.com"])
def test_a_refused_password_leaves_the_link_good(account_door: AccountDoor, refused: str) -> None:
    account_door.make_account()
    token = reset_link(account_door)
    answer = account_door.reset(token, refused)
    assert answer.status == 422
    assert answer.fields == {"password"}
    assert account_door.reset(token).is_fine


def test_every_session_ends(app: APIFlask) -> None:
    here, there = signed_in(AccountJson(app)), AccountPages(app)
    there.sign_in(ALICE)
    assert another(here).reset(reset_link(another(here))).is_fine
    for door in (here, there):
        assert door.who_am_i() is None
    assert here.refresh().status == 401
    assert there.refresh().response.headers["Location"].startswith("/login")


def test_nobody_is_signed_in_by_a_reset(account_door: AccountDoor) -> None:
    account_door.make_account()
    account_door.reset(reset_link(account_door))
    assert account_door.who_am_i() is None


def test_the_address_is_proved_by_it(account_door: AccountDoor) -> None:
    account_door.sign_up(ALICE)
    assert account_door.sign_in(ALICE).status == 403
    account_door.reset(reset_link(account_door))
    assert account_door.sign_in(ALICE, NEW_PASSWORD).is_fine


def test_a_link_to_prove_the_address_falls_with_it(account_door: AccountDoor) -> None:
    account_door.sign_up(ALICE)
    verification = mailed(account_door.app, ALICE, "verify_email")
    account_door.reset(reset_link(account_door))
    assert account_door.verify(verification).status == 400


def test_an_account_without_a_password_sets_its_first(account_door: AccountDoor) -> None:
    account_door.make_account()
    user_id = account_of(account_door.app).id
    in_store(account_door.app, lambda: _take_password_away(user_id))
    assert account_door.sign_in(ALICE).status == 401
    assert account_door.reset(reset_link(account_door)).is_fine
    assert account_door.sign_in(ALICE, NEW_PASSWORD).is_fine


def test_a_disabled_account_gets_no_mail(account_door: AccountDoor) -> None:
    account_door.make_account()
    disable(account_door.app)
    assert account_door.forgot(ALICE).is_fine
    assert not mails(account_door.app, ALICE, "reset_password")


def test_a_link_from_before_does_not_open_a_disabled_account(account_door: AccountDoor) -> None:
    account_door.make_account()
    token = reset_link(account_door)
    before = account_of(account_door.app).password_hash
    disable(account_door.app)
    assert account_door.reset(token).status == 400
    assert account_of(account_door.app).password_hash == before


def test_a_notice_is_mailed(account_door: AccountDoor) -> None:
    account_door.make_account()
    account_door.reset(reset_link(account_door))
    assert len(mails(account_door.app, ALICE, "password_changed")) == 1


def test_the_answer_is_the_same_for_every_address(account_door: AccountDoor) -> None:
    account_door.make_account(ALICE)
    account_door.make_account(BOB)
    disable(account_door.app, BOB)
    answers = set()
    for email in (ALICE, BOB, "nobody@example.com"):
        response = another(account_door).forgot(email).response
        unique = ("X-Request-Id", "Content-Security-Policy", "Set-Cookie")
        headers = tuple((k, v) for k, v in response.headers if k not in unique)
        cookies = tuple(line.partition("=")[0] for line in response.headers.getlist("Set-Cookie"))
        answers.add((response.status_code, response.text, headers, cookies))
    assert len(answers) == 1


def test_what_is_no_address_is_refused(account_door: AccountDoor) -> None:
    answer = account_door.forgot("nobody")
    assert answer.status == 422
    assert answer.fields == {"email"}


def test_every_bad_link_is_answered_alike(account_door: AccountDoor) -> None:
    account_door.make_account()
    used = reset_link(account_door)
    assert account_door.reset(used).is_fine
    foreign = _verification_of(account_door, BOB)
    fresh = reset_link(account_door)
    bad = (used, foreign, fresh[:-1], fresh + "A", "", "ä" * 43, "x" * 5000, "\0", "' OR 1=1 --")
    answers = {_gist(account_door, account_door.reset(token).response.text) for token in bad}
    statuses = {account_door.reset(token).status for token in bad}
    with later(minutes=31):
        expired = account_door.reset(fresh)
    answers.add(_gist(account_door, expired.response.text))
    assert (len(answers), statuses, expired.status) == (1, {400}, 400)


def test_a_bad_link_has_a_stable_code(app: APIFlask) -> None:
    assert AccountJson(app).reset("x").code == "token_invalid"


@pytest.mark.parametrize(
    "path", ["/reset-password", "/verify-email", "/undo-email-change", "/not-me"]
)
def test_a_bad_link_opens_one_friendly_page(app: APIFlask, path: str) -> None:
    for token in ("", "x", "x" * 43, "\0"):
        page = AccountPages(app).open(path, token)
        assert page.status == 400
        assert "This link does not work any more" in page.text


def test_a_link_is_worth_nothing_for_another_purpose(account_door: AccountDoor) -> None:
    account_door.make_account()
    token = reset_link(account_door)
    assert account_door.verify(token).status == 400
    pages = AccountPages(account_door.app)
    for path in ("/undo-email-change", "/not-me"):
        assert pages.press(path, token).status == 400
    assert account_door.reset(token).is_fine


def test_the_link_that_undoes_a_change_of_address_outlives_a_reset(app: APIFlask) -> None:
    """Else whoever moved the account away would reset it, and be rid of its owner."""
    thief = signed_in(AccountPages(app))
    undo = move(thief, "thief@example.com")
    assert thief.reset(reset_link(thief, "thief@example.com")).is_fine
    assert AccountPages(app).press("/undo-email-change", undo).is_fine
    assert account_of(app, ALICE)


def test_a_pending_change_of_address_falls_with_a_reset(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.change_email("new@example.com")
    pending = mailed(door.app, "new@example.com", "email_change")
    door.reset(reset_link(door))
    assert door.verify(pending).status == 400


def test_devices_that_were_known_are_strangers_afterwards(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    told = len(mails(door.app, ALICE, "new_sign_in"))
    with later(minutes=1):
        door.reset(reset_link(door))
        assert door.sign_in(ALICE, NEW_PASSWORD).is_fine
    assert len(mails(door.app, ALICE, "new_sign_in")) == told + 1


def _take_password_away(user_id: str) -> None:
    execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=None))


def _verification_of(door: AccountDoor, email: str) -> str:
    another(door).sign_up(email)
    return mailed(door.app, email, "verify_email")


def _gist(door: AccountDoor, text: str) -> str:
    """Return what a person or a program reads; pages carry numbers and nonces of their own."""
    if isinstance(door, AccountJson):
        return text
    return re.sub(r"[0-9a-f]{16}", "", text.partition("<main")[2])
