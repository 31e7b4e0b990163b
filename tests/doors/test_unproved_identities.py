"""A way in that somebody linked before the owner of an address came is gone once the owner has."""

import pytest
from apiflask import APIFlask

from tests.account_kit import ALICE, AccountJson, account_of, in_store, reset_link
from tests.conftest import MakeApp
from tests.doors.probes import execute, query
from webapp import clock
from webapp.stores import identities
from webapp.stores.identities import LinkedIdentity


def link(app: APIFlask) -> None:
    """Have somebody's identity at Google sign in to Alice's account."""
    now = clock.now()
    linked = LinkedIdentity("google", "1", account_of(app).id, None, now, now)
    in_store(app, lambda: identities.add(linked))


def count(app: APIFlask) -> int:
    [(found,)] = query(app, "SELECT count(*) FROM identities")
    return int(found)


@pytest.mark.parametrize(("is_proved", "left"), [(False, 0), (True, 1)])
def test_a_reset_by_the_owner(app: APIFlask, is_proved: bool, left: int) -> None:
    door = AccountJson(app)
    door.make_account(ALICE)
    if not is_proved:
        execute(app, "UPDATE users SET email_verified_at = NULL")
    link(app)
    assert door.reset(reset_link(door)).is_fine
    assert count(app) == left


def test_a_sign_up_by_the_owner(make_app: MakeApp) -> None:
    app = make_app()
    AccountJson(app).sign_up(ALICE)
    link(app)
    AccountJson(app).sign_up(ALICE)
    assert count(app) == 0
