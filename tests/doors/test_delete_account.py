"""Deleting one's own account: undone by signing in within 14 days, and erased after them."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask

from tests.account_kit import (
    ALICE,
    BOB,
    NEW_PASSWORD,
    AccountDoor,
    AccountJson,
    AccountPages,
    account_of,
    another,
    in_store,
    later,
    mailed,
    mails,
    reset_link,
    signed_in,
)
from tests.database_kit import on_every_database
from webapp import clock
from webapp.extensions import db
from webapp.features.ops import flow as ops
from webapp.services import policy
from webapp.stores import deletions, users

pytestmark = on_every_database

pytest_plugins = "tests.doors.account_fixtures"


def prune(app: APIFlask) -> int:
    with app.app_context():
        return ops.prune_accounts()


def every_value(app: APIFlask) -> Iterator[tuple[str, str, Any]]:
    """Return table, column and value of everything that is kept."""
    with app.app_context():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(table.select()).mappings():
                yield from ((table.name, column, value) for column, value in row.items())


def places_of(app: APIFlask, needle: str) -> set[str]:
    """Return the columns that hold a piece of text."""
    return {
        f"{table}.{column}" for table, column, value in every_value(app) if needle in str(value)
    }


def test_every_session_ends(account_door: AccountDoor) -> None:
    here, there = signed_in(account_door), another(account_door)
    there.sign_in(ALICE)
    assert here.delete().is_fine
    assert here.who_am_i() is None
    assert there.who_am_i() is None


def test_the_cookies_are_cleared(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.delete()
    assert door.cookie("access_token") is None
    assert door.cookie("refresh_token", "/api/v1/auth/refresh") is None


def test_a_mail_says_how_to_keep_it(account_door: AccountDoor) -> None:
    signed_in(account_door).delete()
    [mail] = mails(account_door.app, ALICE, "account_deleted")
    assert "http://localhost:5000/login" in mail.text.splitlines()


def test_json_asks_for_the_present_password(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    answer = door.delete("not my password")
    [error] = answer.response.get_json()["errors"]
    assert (answer.status, error["field"], error["code"]) == (422, "password", "wrong_password")
    assert door.post("me", {}, "DELETE").status == 422
    assert door.who_am_i() == ALICE


def test_an_old_sign_in_has_to_be_confirmed_first(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    with later(minutes=11):
        assert door.delete().code == "reauthentication_required"
        assert door.who_am_i() == ALICE
        assert door.reauthenticate().is_fine
        assert door.delete().status == 204


def test_looking_at_the_page_deletes_nothing(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    assert door.client.get("/account/delete").status_code == 200
    assert door.who_am_i() == ALICE


def test_signing_in_within_14_days_restores_it(account_door: AccountDoor) -> None:
    signed_in(account_door).delete()
    with later(days=13, hours=23):
        assert prune(account_door.app) == 0
        assert another(account_door).sign_in(ALICE).is_fine
    with later(days=30):
        assert prune(account_door.app) == 0
        assert another(account_door).sign_in(ALICE).is_fine


def test_a_wrong_password_does_not_restore_it(account_door: AccountDoor) -> None:
    signed_in(account_door).delete()
    another(account_door).sign_in(ALICE, "not my password")
    with later(days=15):
        assert prune(account_door.app) == 1


def test_a_forgotten_password_can_be_set_and_restores_it(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    door.delete()
    assert door.reset(reset_link(door)).is_fine
    assert door.sign_in(ALICE, NEW_PASSWORD).is_fine
    with later(days=15):
        assert prune(door.app) == 0


def test_its_address_counts_as_taken_and_its_owner_is_told(account_door: AccountDoor) -> None:
    signed_in(account_door).delete()
    taken, free = another(account_door).sign_up(ALICE), another(account_door).sign_up(BOB)
    assert (taken.status, taken.text) == (free.status, free.text)
    [mail] = mails(account_door.app, ALICE, "account_waiting")
    assert "http://localhost:5000/login" in mail.text.splitlines()
    assert another(account_door).sign_in(ALICE).is_fine


def test_after_14_days_it_is_erased(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    reset_link(door)
    user_id = account_of(door.app).id
    door.delete()
    with later(days=14, seconds=1):
        assert prune(door.app) == 1
        assert prune(door.app) == 0
    assert in_store(door.app, lambda: users.find(user_id)) is None
    assert places_of(door.app, ALICE) == set()
    assert places_of(door.app, user_id) == {"audit_events.user_id"}
    assert another(door).sign_in(ALICE).status == 401


def test_the_audit_trail_keeps_that_it_was_erased(app: APIFlask) -> None:
    signed_in(AccountJson(app)).delete()
    with later(days=15):
        prune(app)
    events = {value for table, column, value in every_value(app) if column == "event"}
    assert {"signed_in", "account_deleted", "account_erased"} <= events


def test_nobody_else_is_touched(account_door: AccountDoor) -> None:
    bob = signed_in(another(account_door), BOB)
    signed_in(account_door).delete()
    with later(days=15):
        prune(account_door.app)
    assert account_of(account_door.app, BOB)
    assert bob.sign_out().is_fine
    assert bob.sign_in(BOB).is_fine
    assert places_of(account_door.app, BOB) == {
        "users.email",
        "outbox.recipient",
    }


def test_an_erased_address_can_sign_up_again(account_door: AccountDoor) -> None:
    first = signed_in(account_door)
    before = account_of(first.app).id
    first.delete()
    with later(days=15):
        prune(first.app)
        again = another(first)
        assert again.sign_up(ALICE, NEW_PASSWORD).is_fine
        assert again.verify(mailed(first.app, ALICE, "verify_email")).is_fine
        assert again.who_am_i() == ALICE
    assert account_of(first.app).id != before


def test_whoever_comes_back_after_being_found_is_not_erased(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    door.delete()
    with later(days=15):
        before = clock.now() - policy.DELETED_KEPT_FOR
        [user_id] = in_store(app, lambda: deletions.waiting_to_be_erased(before, 10))
        assert door.sign_in(ALICE).is_fine
        assert not in_store(app, lambda: deletions.erase(user_id, before))
        assert door.who_am_i() == ALICE


@pytest.mark.parametrize("attempt", range(3))
def test_of_signing_in_and_erasing_exactly_one_wins(app: APIFlask, attempt: int) -> None:
    door = signed_in(AccountJson(app))
    user_id = account_of(app).id
    door.delete()
    with later(days=15):
        start = threading.Barrier(2)
        statuses: list[int] = []
        erased: list[int] = []

        def come_back() -> None:
            visitor = AccountJson(app)
            start.wait()
            statuses.append(visitor.sign_in(ALICE).status)

        def erase() -> None:
            start.wait()
            erased.append(prune(app))

        threads = [threading.Thread(target=work) for work in (come_back, erase)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    is_there = in_store(app, lambda: users.find(user_id)) is not None
    assert (statuses, erased) == (([200], [0]) if is_there else ([401], [1]))
    assert is_there or "sessions.user_id" not in places_of(app, user_id)
