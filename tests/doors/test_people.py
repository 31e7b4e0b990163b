"""People, the sample resource: any signed-in person reads and writes, only an admin deletes."""

from typing import Any

import pytest
from apiflask import APIFlask

from tests.admin_kit import ADMIN, USER, Caller, browser, caller, make
from tests.doors.test_statements import statements
from tests.doors_kit import PagesDoor
from tests.support import csrf_token_in

ADA = {"first_name": "Ada", "last_name": "Lovelace"}
BOTH_MISSING = {("first_name", "missing"), ("last_name", "missing")}
NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def user(app: APIFlask) -> Caller:
    make(app, ADMIN, "admin")
    make(app, USER)
    return caller(app, USER)


@pytest.fixture
def admin(app: APIFlask, user: Caller) -> Caller:
    return caller(app, ADMIN)


def add(who: Caller, **names: str) -> dict[str, Any]:
    reply = who.ask("POST", "/people", ADA | names)
    assert reply.status_code == 201, reply.text
    person: dict[str, Any] = reply.get_json()
    return person


def test_from_the_first_to_the_last(user: Caller, admin: Caller) -> None:
    person = add(user, first_name="  Ada ")
    assert person.keys() == {"id", "first_name", "last_name", "created_at"}
    assert (person["first_name"], person["last_name"]) == ("Ada", "Lovelace")
    path = f"/people/{person['id']}"
    assert user.get(path) == person
    assert user.get("/people") == {"data": [person], "next_cursor": None}
    renamed = user.ask("PUT", path, {"first_name": "Augusta", "last_name": "King"})
    assert renamed.get_json() == person | {"first_name": "Augusta", "last_name": "King"}
    assert user.ask("DELETE", path).status_code == 403
    assert admin.ask("DELETE", path).status_code == 204
    assert user.ask("GET", path).status_code == 404
    assert admin.ask("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    ("names", "errors"),
    [
        ({}, {("first_name", "missing"), ("last_name", "missing")}),
        (
            {"first_name": "", "last_name": " "},
            {("first_name", "missing"), ("last_name", "missing")},
        ),
        ({"first_name": "x" * 31, "last_name": "y"}, {("first_name", "too_long")}),
        ({"first_name": "x", "last_name": 1}, {("last_name", "wrong_type")}),
        ({"first_name": "x\n", "last_name": "y\0z"}, {("last_name", "invalid_characters")}),
    ],
)
def test_names_that_cannot_be_used(
    user: Caller, names: dict[str, Any], errors: set[tuple[str, str]]
) -> None:
    path = f"/people/{add(user)['id']}"
    for reply in (user.ask("POST", "/people", names), user.ask("PUT", path, names)):
        assert reply.status_code == 422
        assert {(e["field"], e["code"]) for e in reply.get_json()["errors"]} == errors
    assert len(user.get("/people")["data"]) == 1


def test_a_name_of_thirty_characters_is_a_name(user: Caller) -> None:
    assert add(user, first_name=30 * "é")["first_name"] == 30 * "é"


def test_nobody_of_that_id(user: Caller) -> None:
    assert user.ask("GET", f"/people/{NOBODY}").status_code == 404
    assert user.ask("PUT", f"/people/{NOBODY}", ADA).status_code == 404


def test_a_body_brings_no_id_in(user: Caller) -> None:
    assert add(user, id=NOBODY, created_at="2020-01-01T00:00:00Z")["id"] != NOBODY


def test_pages_hold_still_while_somebody_is_added(user: Caller) -> None:
    ids = [add(user, last_name=str(number))["id"] for number in range(5)]
    first = user.get("/people?limit=2")
    add(user)
    second = user.get(f"/people?limit=2&cursor={first['next_cursor']}")
    third = user.get(f"/people?limit=2&cursor={second['next_cursor']}")
    found = [person["id"] for page in (first, second, third) for person in page["data"]]
    assert found == ids[::-1]
    assert third["next_cursor"] is None


def test_a_list_takes_one_statement(app: APIFlask, user: Caller) -> None:
    user.get("/people")
    with statements(app) as found:
        user.get("/people")
    assert len(found) == 1, found


# On pages.


@pytest.fixture
def door(app: APIFlask, user: Caller) -> PagesDoor:
    return browser(app, USER)


def test_pages_from_the_first_to_the_last(app: APIFlask, door: PagesDoor, user: Caller) -> None:
    assert "There is nobody here yet" in door.client.get("/people").text
    added = door.submit("/people/new", first_name="Ada", last_name="Lovelace")
    assert added.response.location == "/people?notice=added"
    page = door.client.get("/people?notice=added").text
    assert "Ada Lovelace" in page
    assert "The person is added." in page
    (person,) = user.get("/people")["data"]
    path = f"/people/{person['id']}"
    assert "Delete this person" not in door.client.get(path).text
    assert door.submit(path, first_name="Augusta", last_name="King").is_fine
    assert user.get(path)["first_name"] == "Augusta"
    token = csrf_token_in(door.client.get(path).text)
    assert door.client.post(f"{path}/delete", data={"csrf_token": token}).status_code == 403
    theirs = browser(app, ADMIN)
    assert "Delete this person" in theirs.client.get(path).text
    assert theirs.submit(f"{path}/delete").response.location == "/people?notice=removed"
    assert user.get("/people")["data"] == []


def test_a_form_keeps_what_was_typed(door: PagesDoor) -> None:
    answer = door.submit("/people/new", first_name="", last_name="Lovelace")
    assert answer.status == 422
    assert answer.fields == {"first_name"}
    assert 'value="Lovelace"' in answer.text


def test_a_form_of_another_site_does_nothing(door: PagesDoor, user: Caller) -> None:
    assert door.client.post("/people/new", data=ADA).status_code == 403
    assert user.get("/people")["data"] == []


def test_more_than_a_page_of_people(door: PagesDoor, user: Caller) -> None:
    for number in range(51):
        add(user, last_name=f"No. {number}")
    first = door.client.get("/people").text
    assert "No. 50" in first
    assert "No. 0<" not in first
    next_page = first.partition('rel="next" href="')[2].partition('"')[0]
    second = door.client.get(next_page).text
    assert "No. 0<" in second
    assert "To the beginning" in second
