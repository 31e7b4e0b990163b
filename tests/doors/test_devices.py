"""Where one is signed in: the list, and ending one or all others."""

from datetime import datetime
from typing import Any

import pytest
from apiflask import APIFlask

from tests.account_kit import (
    ALICE,
    BOB,
    AccountDoor,
    AccountJson,
    AccountPages,
    account_of,
    another,
    in_store,
    later,
    signed_in,
)
from tests.conftest import MakeApp
from tests.redis_kit import on_each_session_store
from tests.support import PASSWORD
from webapp.features.social import flow as social
from webapp.features.social.identity import Identity
from webapp.services.ids import new_id

pytest_plugins = "tests.doors.account_fixtures"

pytestmark = on_each_session_store

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
FIELDS = {
    "id",
    "created_at",
    "last_used_at",
    "expires_at",
    "ip",
    "user_agent",
    "label",
    "current",
}


def sessions_of(door: AccountDoor) -> list[dict[str, Any]]:
    """Return the list as the JSON door shows it to this browser."""
    response = door.client.get("/api/v1/auth/sessions")
    assert response.status_code == 200
    assert set(response.get_json()) == {"data"}
    data: list[dict[str, Any]] = response.get_json()["data"]
    return data


def current_id(door: AccountDoor) -> str:
    return next(str(one["id"]) for one in sessions_of(door) if one["current"])


def test_each_sign_in_is_listed_with_its_device(app: APIFlask) -> None:
    here = signed_in(AccountJson(app))
    phone = another(here, SAFARI)
    phone.sign_in(ALICE)
    listed = {one["label"]: one for one in sessions_of(phone)}
    assert set(listed["Safari on iPhone"]) == FIELDS
    assert listed["Safari on iPhone"]["user_agent"] == SAFARI
    assert listed["Safari on iPhone"]["ip"] == "127.0.0.1"
    assert [one["current"] for one in sessions_of(phone)].count(True) == 1
    assert listed["Safari on iPhone"]["current"]


def test_moments_are_in_utc_and_in_order(app: APIFlask) -> None:
    for one in sessions_of(signed_in(AccountJson(app))):
        names = ("created_at", "last_used_at", "expires_at")
        created_at, last_used_at, expires_at = (datetime.fromisoformat(one[name]) for name in names)
        assert one["created_at"].endswith(("Z", "+00:00"))
        assert created_at <= last_used_at < expires_at


def test_the_last_used_comes_first_and_using_is_refreshing(app: APIFlask) -> None:
    here, there = signed_in(AccountJson(app)), AccountJson(app)
    there.sign_in(ALICE)
    with later(minutes=20):
        here.refresh()
        assert sessions_of(here)[0]["current"]
        assert sessions_of(here)[0]["last_used_at"] > sessions_of(here)[0]["created_at"]


def test_the_page_lists_them_in_words(app: APIFlask) -> None:
    here = signed_in(AccountPages(app))
    phone = another(here, SAFARI)
    phone.sign_in(ALICE)
    page = phone.client.get("/account/devices").text
    assert "Safari on iPhone" in page
    assert page.count("This device") == 1


def test_ended_and_expired_sign_ins_are_not_listed(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    there = AccountJson(app)
    there.sign_in(ALICE)
    gone = current_id(there)
    there.sign_out()
    assert gone not in {one["id"] for one in sessions_of(door)}


def test_one_sign_in_is_ended(account_door: AccountDoor) -> None:
    here, there = signed_in(account_door), another(account_door)
    there.sign_in(ALICE)
    assert here.end_session(current_id(there)).is_fine
    assert there.who_am_i() is None
    assert here.who_am_i() == ALICE


def test_ending_ones_own_signs_this_browser_out(account_door: AccountDoor) -> None:
    door = signed_in(account_door)
    assert door.end_session(current_id(door)).is_fine
    assert door.who_am_i() is None


def test_all_others_are_ended(account_door: AccountDoor) -> None:
    here = signed_in(account_door)
    others = [another(account_door) for _ in range(3)]
    for door in others:
        door.sign_in(ALICE)
    assert here.end_others().is_fine
    assert [door.who_am_i() for door in others] == [None] * 3
    assert here.who_am_i() == ALICE
    assert len(sessions_of(here)) == 1


def test_other_peoples_sign_ins_are_not_ended(account_door: AccountDoor) -> None:
    bob = signed_in(another(account_door), BOB)
    signed_in(account_door).end_others()
    assert bob.who_am_i() == BOB


def test_another_persons_sign_in_is_not_there(account_door: AccountDoor) -> None:
    bob = signed_in(another(account_door), BOB)
    signed_in(account_door).end_session(current_id(bob))
    assert bob.who_am_i() == BOB


def test_what_is_not_there_and_what_is_not_ones_own_are_answered_alike(app: APIFlask) -> None:
    bob = signed_in(AccountJson(app), BOB)
    alice = signed_in(AccountJson(app))
    ended = AccountJson(app)
    ended.sign_in(ALICE)
    ended_id = current_id(ended)
    ended.sign_out()
    ids = (current_id(bob), new_id(), "x", "x" * 500, "' OR 1=1 --", ended_id)
    answers = {(a.status, a.text) for a in (alice.end_session(one) for one in ids)}
    assert len(answers) == 1
    assert alice.end_session("x").status == 404
    # PostgreSQL does not even take one to compare.
    assert alice.end_session("%00").status == 404
    assert alice.end_session("x").code == "not_found"


@pytest.mark.parametrize("transport", ["bearer", "cookie"])
def test_the_tokens_of_an_ended_sign_in_die(app: APIFlask, transport: str) -> None:
    here = signed_in(AccountJson(app))
    client = app.test_client()
    body = {"email": ALICE, "password": PASSWORD, "transport": transport}
    pair = client.post("/api/v1/auth/login", json=body).get_json()
    access = {"Authorization": f"Bearer {pair['access_token']}"} if transport == "bearer" else {}
    assert client.get("/api/v1/auth/me", headers=access).status_code == 200
    here.end_others()
    reply = client.get("/api/v1/auth/me", headers=access)
    assert (reply.status_code, reply.get_json()["code"]) == (401, "token_revoked")
    if transport == "bearer":
        refresh = {"Authorization": f"Bearer {pair['refresh_token']}"}
        assert client.post("/api/v1/auth/refresh", headers=refresh).status_code == 401


def test_ending_needs_the_csrf_token(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    for path in ("sessions", f"sessions/{current_id(door)}"):
        reply = door.client.delete(f"/api/v1/auth/{path}")
        assert (reply.status_code, reply.get_json()["code"]) == (403, "csrf_failed")
    assert door.who_am_i() == ALICE


def test_the_list_needs_a_sign_in(app: APIFlask) -> None:
    assert app.test_client().get("/api/v1/auth/sessions").status_code == 401
    page = app.test_client().get("/account/devices")
    assert page.headers["Location"] == "/login?next=/account/devices"


def test_whoever_disconnects_a_provider_is_led_to_the_list(make_app: MakeApp) -> None:
    app = make_app(fake_providers=("google",))
    door = signed_in(AccountPages(app))
    identity = Identity("google", "anna", ALICE, True)
    user_id = account_of(app).id
    in_store(app, lambda: social.link(identity, user_id))
    answer = door.submit("/account/connections/google/unlink")
    page = door.client.get(answer.response.location).text.partition("<main")[2]
    assert "is disconnected" in page
    assert 'href="/account/devices"' in page
