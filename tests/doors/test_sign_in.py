"""Signing in with a password."""

from datetime import timedelta

import bcrypt
import pytest
import time_machine
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.doors.conftest import Hashes
from tests.doors.probes import (
    ALICE,
    BOB,
    SetCookie,
    audited,
    bearer,
    cookies_set,
    create_user,
    disable_user,
    execute,
    query,
    sign_in_by_bearer,
    without_chance,
)
from tests.doors_kit import Answer, Door, JsonDoor, PagesDoor
from tests.support import PASSWORD
from webapp import clock

SESSION_COOKIES = ("access_token", "refresh_token", "XSRF-TOKEN")


def failures(app: APIFlask, door: Door, hashes: Hashes) -> dict[str, tuple[Answer, int]]:
    """Fail to sign in in every way, and count the hashes that each takes."""
    for name in ("disabled", "passwordless", "wrong"):
        create_user(app, f"{name}@example.com")
    disable_user(app, "disabled@example.com")
    execute(app, "UPDATE users SET password_hash = NULL WHERE email LIKE 'passwordless@%'")
    door.sign_in("warm@example.com")
    found = {}
    for name in ("unknown", "disabled", "passwordless", "wrong"):
        before = hashes.count
        password = "a wrong password" if name == "wrong" else PASSWORD
        answer = door.sign_in(f"{name}@example.com", password)
        found[name] = (answer, hashes.count - before)
    return found


def test_every_failure_is_answered_alike(app: APIFlask, every_door: Door, hashes: Hashes) -> None:
    answers = [answer for answer, _ in failures(app, every_door, hashes).values()]
    assert {answer.status for answer in answers} == {401}
    assert {answer.code for answer in answers} <= {"invalid_credentials", None}
    told = {repr(_without_address(answer)) for answer in answers}
    assert len(told) == 1, told


def test_every_failure_costs_one_hash(app: APIFlask, every_door: Door, hashes: Hashes) -> None:
    costs = {name: cost for name, (_, cost) in failures(app, every_door, hashes).items()}
    assert costs == {"unknown": 1, "disabled": 1, "passwordless": 1, "wrong": 1}


@pytest.mark.parametrize("password", ["a wrong password", "with\0NUL in it", "x" * 1024])
def test_a_hash_from_elsewhere_costs_the_same(app: APIFlask, hashes: Hashes, password: str) -> None:
    create_user(app)
    keep_plain_hash(app, PASSWORD)
    before = hashes.count
    assert JsonDoor(app).sign_in(ALICE, password).status == 401
    assert hashes.count - before == 1


def test_every_failure_is_audited_with_its_reason(
    app: APIFlask, every_door: Door, hashes: Hashes
) -> None:
    failures(app, every_door, hashes)
    rows = query(app, "SELECT detail, ip FROM audit_events WHERE event = 'sign_in_failed'")
    reasons = sorted(detail for detail, _ in rows)
    unknown, wrong = ["unknown_address"] * 2, ["wrong_password"] * 2
    assert reasons == sorted(["disabled", *unknown, *wrong])
    assert {ip for _, ip in rows} == {"127.0.0.1"}


def test_only_the_right_password_learns_that_an_address_waits(door: Door) -> None:
    door.another_browser().sign_up(ALICE)
    assert door.sign_in(ALICE, "a wrong password").status == 401
    answer = door.sign_in(ALICE)
    assert answer.status == 403
    assert answer.code in ("email_not_verified", None)
    assert door.who_am_i() is None


def test_a_disabled_account_that_is_opened_again_can_sign_in(
    app: APIFlask, every_door: Door
) -> None:
    create_user(app)
    disable_user(app)
    assert every_door.sign_in(ALICE).status == 401
    execute(app, "UPDATE users SET disabled_at = NULL")
    assert every_door.sign_in(ALICE).is_fine


def test_cookies_end_with_the_browser_unless_asked_to_stay(app: APIFlask, door: Door) -> None:
    create_user(app)
    cookies = cookies_set(door.sign_in(ALICE, remember=False).response)
    assert [lifetime_of(cookies[name]) for name in SESSION_COOKIES] == [None] * 3
    cookies = cookies_set(sign_in_over(door, ALICE).response)
    assert [lifetime_of(cookies[name]) for name in SESSION_COOKIES] == [30 * 86400] * 3


def test_refreshing_keeps_a_short_sign_in_short(app: APIFlask, door: Door) -> None:
    create_user(app)
    door.sign_in(ALICE, remember=False)
    with time_machine.travel(clock.now().timestamp() + 3600):
        cookies = cookies_set(door.refresh().response)
    assert [lifetime_of(cookies[name]) for name in SESSION_COOKIES] == [None] * 3


def test_one_is_remembered_unless_one_says_no(app: APIFlask) -> None:
    create_user(app)
    answer = JsonDoor(app).post("login", {"email": ALICE, "password": PASSWORD})
    assert lifetime_of(cookies_set(answer.response)["refresh_token"]) == 30 * 86400


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
def test_a_hash_from_elsewhere_is_upgraded(app: APIFlask, every_door: Door, version: str) -> None:
    create_user(app)
    keep_plain_hash(app, PASSWORD, version)
    assert every_door.sign_in(ALICE, "a wrong password").status == 401
    assert kept_hash(app).startswith(f"${version}$")
    assert every_door.sign_in(ALICE).is_fine
    assert kept_hash(app).startswith("$bcrypt-sha256$v=2,t=2b,r=4$")
    assert every_door.another_browser().sign_in(ALICE).is_fine


def test_a_long_password_hashed_elsewhere_counts_in_full_once_upgraded(app: APIFlask) -> None:
    create_user(app)
    long = "y" * 72 + " and the rest"
    keep_plain_hash(app, long)
    assert JsonDoor(app).sign_in(ALICE, long).is_fine
    assert JsonDoor(app).sign_in(ALICE, "y" * 72).status == 401


def test_a_hash_of_another_cost_is_brought_up_to_date(make_app: MakeApp) -> None:
    before, after = make_app(bcrypt_cost=4), make_app(bcrypt_cost=5)
    create_user(before)
    assert JsonDoor(after).sign_in(ALICE).is_fine
    assert kept_hash(after).startswith("$bcrypt-sha256$v=2,t=2b,r=5$")
    assert JsonDoor(after).sign_in(ALICE).is_fine


def test_signing_in_again_ends_the_session_before(app: APIFlask, door: Door) -> None:
    create_user(app)
    create_user(app, BOB)
    door.sign_in(ALICE)
    old = door.cookie("access_token") or ""
    assert sign_in_over(door, BOB).is_fine
    assert door.cookie("access_token") != old
    response = app.test_client().get("/api/v1/auth/me", headers=bearer(old))
    assert (response.status_code, response.get_json()["code"]) == (401, "token_revoked")
    assert door.who_am_i() == BOB


def test_a_session_planted_before_is_not_the_one_after(app: APIFlask, door: Door) -> None:
    create_user(app, "eve@example.com")
    create_user(app)
    planted = sign_in_by_bearer(app.test_client(), "eve@example.com")["access_token"]
    door.client.set_cookie("access_token", planted)
    assert sign_in_over(door, ALICE).is_fine
    response = app.test_client().get("/api/v1/auth/me", headers=bearer(planted))
    assert response.status_code == 401
    assert door.who_am_i() == ALICE


def test_signing_in_by_bearer_leaves_the_browser_alone(app: APIFlask) -> None:
    create_user(app)
    door = JsonDoor(app)
    door.sign_in(ALICE)
    response = door.client.post(
        "/api/v1/auth/login",
        json={"email": ALICE, "password": PASSWORD, "transport": "bearer"},
    )
    reply = response.get_json()
    assert reply["token_type"] == "Bearer"
    assert (reply["expires_in"], reply["refresh_expires_in"]) == (900, 30 * 86400)
    assert "Set-Cookie" not in response.headers
    assert door.who_am_i() == ALICE


def test_by_cookie_no_token_stands_in_the_body(app: APIFlask) -> None:
    create_user(app)
    answer = JsonDoor(app).sign_in(ALICE)
    reply = answer.response.get_json()
    assert reply.keys() == {"token_type", "expires_in", "user"}
    assert reply["token_type"] == "cookie"
    assert reply["user"].keys() == {
        "id", "email", "email_verified", "name", "roles", "created_at",
    }  # fmt: skip
    for cookie in cookies_set(answer.response).values():
        assert cookie.value not in answer.text


def test_a_sign_in_is_audited(app: APIFlask, every_door: Door) -> None:
    create_user(app)
    every_door.sign_in(ALICE)
    assert audited(app) == ["user_created", "signed_in"]


@pytest.mark.parametrize(
    "body", [{}, {"email": ALICE}, {"password": PASSWORD}, {"email": ALICE, "password": ""}]
)
def test_both_fields_are_needed(app: APIFlask, body: dict[str, str]) -> None:
    answer = JsonDoor(app).post("login", body)
    assert (answer.status, answer.code) == (422, "validation_failed")
    assert answer.fields <= {"email", "password"}
    assert answer.fields


def sign_in_over(door: Door, email: str) -> Answer:
    """Sign in where somebody is signed in; on pages, with a form that was open in another tab."""
    if isinstance(door, PagesDoor):
        return door.submit("/logout", "/login", email=email, password=PASSWORD, remember="y")
    return door.sign_in(email)


def keep_plain_hash(app: APIFlask, password: str, version: str = "2b") -> None:
    """Give Alice the hash that another application made of her password."""
    plain = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    plain = f"${version}${plain[4:]}"
    execute(app, "UPDATE users SET password_hash = :hash", hash=plain)


def kept_hash(app: APIFlask) -> str:
    ((found,),) = query(app, "SELECT password_hash FROM users WHERE email = :email", email=ALICE)
    return str(found)


def lifetime_of(cookie: SetCookie) -> int | None:
    """Return Max-Age to the nearest minute, or None for a cookie that ends with the browser."""
    if not {"max-age", "expires"} & cookie.attributes.keys():
        return None
    return round(int(cookie.attributes["max-age"]) / 60) * 60


def _without_address(answer: Answer) -> object:
    status, body, headers = without_chance(answer.response)
    return status, body, [header for header in headers if header[0] != "Content-Length"]


def test_a_password_does_not_expire(app: APIFlask) -> None:
    create_user(app)
    with time_machine.travel(clock.now() + timedelta(days=3650)):
        assert JsonDoor(app).sign_in(ALICE).is_fine
