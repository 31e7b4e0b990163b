"""Signing up through each door."""

from collections.abc import Callable

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.database_kit import on_every_database
from tests.doors.probes import (
    ALICE,
    BOB,
    audited,
    cookies_set,
    create_user,
    dump,
    mailed,
    without_chance,
)
from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.support import PASSWORD

pytestmark = on_every_database

BOTH_DOORS = pytest.mark.parametrize("open_door", [PagesDoor, JsonDoor], indirect=True)
OpenDoor = Callable[[APIFlask], Door]


def test_each_field_says_what_is_wrong_with_it(door: Door) -> None:
    answer = door.sign_up("not an address", "short", "x" * 101)
    assert answer.status == 422
    assert answer.fields == {"email", "password", "name"}


def test_a_refused_page_keeps_what_was_typed_but_not_the_password(app: APIFlask) -> None:
    page = PagesDoor(app).sign_up("alice@nowhere", "secret horse 99", "Alice")
    assert page.status == 422
    assert 'value="alice@nowhere"' in page.text
    assert 'value="Alice"' in page.text
    assert "secret horse 99" not in page.text


def test_a_refused_body_is_answered_by_problem_details(app: APIFlask) -> None:
    answer = JsonDoor(app).sign_up("alice@nowhere", "secret horse 99")
    problem = answer.response.get_json()
    assert answer.response.mimetype == "application/problem+json"
    assert (problem["status"], problem["code"]) == (422, "validation_failed")
    assert {"type", "title", "detail"} <= problem.keys()
    (error,) = problem["errors"]
    assert (error["field"], error["code"]) == ("email", "invalid_email")
    assert error["message"]
    assert "secret horse 99" not in answer.text


def test_a_refused_sign_up_leaves_nothing_behind(app: APIFlask, every_door: Door) -> None:
    before = dump(app)
    every_door.sign_up("alice@nowhere")
    every_door.sign_up(ALICE, "short")
    assert dump(app) == before


def test_a_taken_address_is_answered_like_a_new_one(every_door: Door) -> None:
    every_door.make_account(ALICE)
    taken = every_door.another_browser().sign_up(ALICE, name="Eve")
    new = every_door.another_browser().sign_up(BOB, name="Eve")
    assert without_chance(taken.response) == without_chance(new.response)


def test_the_page_after_a_taken_address_is_the_same(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.make_account(ALICE)
    pages = []
    for email in (ALICE, BOB):
        browser = PagesDoor(app)
        browser.sign_up(email)
        page = browser.client.get("/verify-email")
        pages.append(page.text.replace(email, "…").replace(email.replace("@", "%40"), "…"))
    first, second = (_without_tokens(page) for page in pages)
    assert first == second


def test_the_owner_of_a_taken_address_gets_mail(app: APIFlask, every_door: Door) -> None:
    create_user(app)
    every_door.sign_up(ALICE, "another password 1", "Eve")
    assert mailed(app) == ["sign_up_taken"]
    assert "sign_up_with_taken_address" in audited(app)
    assert every_door.sign_in(ALICE, PASSWORD).is_fine
    assert "Eve" not in every_door.mails(ALICE)[0].text


def test_addresses_are_one_however_they_are_spelt(app: APIFlask, every_door: Door) -> None:
    create_user(app)
    every_door.sign_up("  Alice@EXAMPLE.com ")
    assert mailed(app) == ["sign_up_taken"]
    assert every_door.sign_in(" ALICE@example.COM").is_fine


def test_an_unproved_account_starts_over_with_the_newest_password(every_door: Door) -> None:
    every_door.sign_up(ALICE, "the first password", "Eve")
    every_door.another_browser().sign_up(ALICE, "the second password", "Alice")
    owner = every_door.another_browser()
    owner.verify(owner.mailed_token(ALICE))
    assert owner.sign_in(ALICE, "the first password").status == 401
    assert owner.sign_in(ALICE, "the second password").is_fine


def test_the_link_of_the_first_try_is_dead_after_a_second_one(every_door: Door) -> None:
    every_door.sign_up(ALICE, "the first password")
    first = every_door.mailed_token(ALICE)
    every_door.another_browser().sign_up(ALICE, "the second password")
    assert every_door.verify(first).status == 400


@pytest.mark.parametrize("verification", ["optional", "off"])
@BOTH_DOORS
def test_without_verification_one_is_signed_in_at_once(
    make_app: MakeApp, open_door: OpenDoor, verification: str
) -> None:
    app = make_app(email_verification=verification)
    door = open_door(app)
    answer = door.sign_up(ALICE, name="Alice")
    assert answer.status in (201, 303)
    assert door.who_am_i() == ALICE
    assert mailed(app) == (["verify_email"] if verification == "optional" else [])


@BOTH_DOORS
def test_with_verification_optional_a_taken_address_is_told(
    make_app: MakeApp, open_door: OpenDoor
) -> None:
    app = make_app(email_verification="optional")
    create_user(app)
    door = open_door(app)
    answer = door.sign_up(ALICE, "another password 1")
    assert answer.status == 409
    assert answer.code in ("email_taken", None)
    assert not {"access_token", "refresh_token"} & cookies_set(answer.response).keys()
    assert door.who_am_i() is None


def test_signing_up_by_bearer_gives_tokens_in_the_body_and_no_cookie(make_app: MakeApp) -> None:
    client = make_app(email_verification="off").test_client()
    body = {"email": ALICE, "password": PASSWORD, "transport": "bearer"}
    response = client.post("/api/v1/auth/signup", json=body)
    reply = response.get_json()
    assert response.status_code == 201
    assert reply["token_type"] == "Bearer"
    assert {"access_token", "refresh_token", "expires_in", "refresh_expires_in"} <= reply.keys()
    assert reply["user"]["email_verified"] is False
    assert "Set-Cookie" not in response.headers


def test_signing_up_by_bearer_sets_no_cookie_while_the_address_waits(app: APIFlask) -> None:
    body = {"email": ALICE, "password": PASSWORD, "transport": "bearer"}
    response = app.test_client().post("/api/v1/auth/signup", json=body)
    assert (response.status_code, response.get_json()) == (202, {"status": "verification_required"})
    assert "Set-Cookie" not in response.headers


def test_what_is_not_asked_for_cannot_be_chosen(app: APIFlask) -> None:
    body = {"email": ALICE, "password": PASSWORD, "roles": ["admin"], "role": "admin",
            "email_verified": True, "email_verified_at": "2020-01-01", "id": "1"}  # fmt: skip
    door = JsonDoor(app)
    assert door.post("signup", body).status == 202
    assert door.sign_in(ALICE).status == 403
    door.verify(door.mailed_token(ALICE))
    user = door.client.get("/api/v1/auth/me").get_json()
    assert user["roles"] == ["user"]
    assert user["id"] != "1"


def test_a_page_takes_the_browser_on_to_where_it_was_going(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.submit("/signup?next=/logout", email=ALICE, password=PASSWORD, next="/logout")
    answer = door.verify(door.mailed_token(ALICE))
    assert answer.response.location == "/logout"


def _without_tokens(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if "csrf_token" not in line)
