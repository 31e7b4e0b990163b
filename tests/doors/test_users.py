"""Accounts over JSON: who sees whom, who may change what, and what a body cannot bring in."""

from typing import Any

import pytest
from apiflask import APIFlask

from tests.account_kit import account_of, mails
from tests.admin_kit import ADMIN, OTHER, USER, Caller, caller, change, make
from tests.conftest import MakeApp
from tests.doors.probes import audited, dump, query
from tests.doors.test_statements import statements
from tests.support import PASSWORD, find_link, token_in

NOBODYS = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def ids(app: APIFlask) -> dict[str, str]:
    """An admin, a user and another one; their ids."""
    return people(app)


def people(app: APIFlask) -> dict[str, str]:
    return {
        ADMIN: make(app, ADMIN, "admin", name="Ada"),
        USER: make(app, USER, name="Ursula"),
        OTHER: make(app, OTHER, name="Otto"),
    }


def code(who: Caller, method: str, path: str, body: Any = None) -> tuple[int, str | None]:
    response = who.ask(method, path, body)
    reply = response.get_json(silent=True) or {}
    return response.status_code, reply.get("code")


# Who sees whom.


def test_admins_see_all_of_everybody(app: APIFlask, ids: dict[str, str]) -> None:
    change(app, OTHER, is_disabled=True)
    data = caller(app, ADMIN).get("/users")["data"]
    assert [each["email"] for each in data] == [OTHER, USER, ADMIN]
    assert data[0].keys() == {
        *("id", "email", "email_verified", "name", "roles", "created_at", "disabled", "deleted")
    }
    assert [each["disabled"] for each in data] == [True, False, False]
    assert caller(app, ADMIN).get(f"/users/{ids[OTHER]}") == data[0]


def test_nobody_else_may_list_by_default(app: APIFlask, ids: dict[str, str]) -> None:
    assert code(caller(app), "GET", "/users") == (401, "not_signed_in")
    assert code(caller(app, USER), "GET", "/users") == (403, "forbidden")


def test_an_account_that_one_may_not_see_is_not_there(app: APIFlask, ids: dict[str, str]) -> None:
    user = caller(app, USER)
    there, nowhere = (user.ask("GET", f"/users/{each}") for each in (ids[OTHER], NOBODYS))
    assert (there.status_code, there.get_json()) == (404, nowhere.get_json())
    assert code(caller(app), "GET", f"/users/{ids[OTHER]}") == (401, "not_signed_in")
    assert code(caller(app, ADMIN), "GET", f"/users/{NOBODYS}") == (404, "not_found")


def test_everybody_sees_themself(app: APIFlask, ids: dict[str, str]) -> None:
    user = caller(app, USER)
    assert user.get(f"/users/{ids[USER]}") == user.get("/auth/me")


@pytest.mark.parametrize("directory", ["members", "public"])
def test_an_open_directory_shows_ids_and_names_alone(make_app: MakeApp, directory: str) -> None:
    app = make_app(users_directory=directory)
    ids = people(app)
    make(app, "shut@example.com", name="Shut")
    change(app, "shut@example.com", is_disabled=True)
    who = caller(app, USER) if directory == "members" else caller(app)
    data = who.get("/users")["data"]
    names = {each["id"]: each for each in data}
    assert set(names) == set(ids.values())
    assert names[ids[OTHER]] == {"id": ids[OTHER], "name": "Otto"}
    assert who.get(f"/users/{ids[OTHER]}") == {"id": ids[OTHER], "name": "Otto"}
    shut = account_of(app, "shut@example.com").id
    assert code(who, "GET", f"/users/{shut}") == (404, "not_found")
    assert [each["id"] for each in who.get("/users?q=OTT")["data"]] == [ids[OTHER]]
    assert who.get("/users?q=other@")["data"] == []
    assert len(caller(app, ADMIN).get("/users?q=other@")["data"]) == 1


def test_members_are_not_the_public(make_app: MakeApp) -> None:
    app = make_app(users_directory="members")
    ids = people(app)
    assert code(caller(app), "GET", "/users") == (401, "not_signed_in")
    assert code(caller(app), "GET", f"/users/{ids[USER]}") == (401, "not_signed_in")
    assert code(caller(app, USER), "DELETE", f"/users/{ids[OTHER]}") == (403, "forbidden")
    assert code(caller(app, USER), "PATCH", f"/users/{ids[OTHER]}", {"name": "x"})[0] == 403


def test_pages_follow_each_other(app: APIFlask, ids: dict[str, str]) -> None:
    admin, found, cursor = caller(app, ADMIN), [], ""
    while cursor is not None:
        reply = admin.get(f"/users?limit=1&cursor={cursor}")
        found += [each["email"] for each in reply["data"]]
        cursor = reply["next_cursor"]
    assert found == [OTHER, USER, ADMIN]


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ("limit=0", "limit", "out_of_range"),
        ("limit=101", "limit", "out_of_range"),
        ("limit=many", "limit", "wrong_type"),
        ("cursor=made-up", "cursor", "invalid_cursor"),
        ("cursor=bnVsbA", "cursor", "invalid_cursor"),
        ("cursor=WyLtoIAiXQ", "cursor", "invalid_cursor"),
        ("q=" + 255 * "x", "q", "too_long"),
    ],
)
def test_what_cannot_be_asked_for(
    app: APIFlask, ids: dict[str, str], asked: str, field: str, says: str
) -> None:
    reply = caller(app, ADMIN).ask("GET", f"/users?{asked}")
    assert reply.status_code == 422
    (error,) = reply.get_json()["errors"]
    assert (error["field"].rpartition(".")[2], error["code"]) == (field, says)


def test_a_list_takes_one_statement(app: APIFlask, ids: dict[str, str]) -> None:
    admin = caller(app, ADMIN)
    admin.get("/users")
    with statements(app) as found:
        admin.get("/users?limit=2")
    assert len(found) == 1, found


# Administrators at work.


def test_an_account_is_made_with_a_mail_to_its_first_password(
    app: APIFlask, ids: dict[str, str]
) -> None:
    body = {"email": "New@Example.com", "name": "Nina", "roles": ["admin"], "password": "x" * 12}
    reply = caller(app, ADMIN).ask("POST", "/users", body)
    assert reply.status_code == 201
    made = reply.get_json()
    assert (made["email"], made["roles"]) == ("new@example.com", ["user", "admin"])
    assert not made["email_verified"]
    (mail,) = mails(app, "new@example.com", "account_made")
    login = {"email": "new@example.com", "password": "x" * 12}
    assert code(caller(app), "POST", "/auth/login", login)[0] == 401
    token = token_in(find_link(mail.text, "/reset-password"))
    first = {"token": token, "password": PASSWORD}
    assert code(caller(app), "POST", "/auth/password/reset", first)[0] == 204
    assert caller(app, "new@example.com").get("/users")["data"][0]["email_verified"]


def test_nobody_signs_up_for_an_account_with_roles(app: APIFlask, ids: dict[str, str]) -> None:
    """Its owner, who expects a mail, would confirm the password of whoever was quicker."""
    body = {"email": "new@example.com", "roles": ["admin"]}
    assert caller(app, ADMIN).ask("POST", "/users", body).status_code == 201
    greedy = {"email": "new@example.com", "password": "the password of mallory"}
    assert code(caller(app), "POST", "/auth/signup", greedy)[0] == 202
    assert account_of(app, "new@example.com").password_hash is None
    assert mails(app, "new@example.com", "verify_email") == []
    assert len(mails(app, "new@example.com", "sign_up_taken")) == 1


def test_an_address_that_is_taken_is_told(app: APIFlask, ids: dict[str, str]) -> None:
    assert code(caller(app, ADMIN), "POST", "/users", {"email": USER}) == (409, "email_taken")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@example.com", "name": "x" * 101}, "name"),
        ({"email": "a@example.com", "roles": ["emperor"]}, "roles"),
        ({"email": "a@example.com", "roles": "admin"}, "roles"),
    ],
)
def test_an_account_that_cannot_be_made(
    app: APIFlask, ids: dict[str, str], body: dict[str, Any], field: str
) -> None:
    before = dump(app)["users"]
    reply = caller(app, ADMIN).ask("POST", "/users", body)
    assert reply.status_code == 422
    assert reply.get_json()["errors"][0]["field"] == field
    assert len(dump(app)["users"]) == len(before)


def test_an_account_is_changed_all_at_once_or_not_at_all(
    app: APIFlask, ids: dict[str, str]
) -> None:
    admin, path = caller(app, ADMIN), f"/users/{ids[USER]}"
    body = {"name": "Ulla", "roles": ["admin", "user"], "disabled": True}
    changed = admin.ask("PATCH", path, body).get_json()
    assert (changed["name"], changed["roles"], changed["disabled"]) == (
        *("Ulla", ["user", "admin"]),
        True,
    )
    assert code(admin, "PATCH", path, {"name": "Uma", "roles": ["emperor"]})[0] == 422
    assert admin.get(path) == changed
    assert admin.ask("PATCH", path, {"disabled": False}).get_json()["disabled"] is False
    assert admin.ask("PATCH", path, {}).status_code == 200
    assert code(admin, "PATCH", f"/users/{NOBODYS}", {"name": "x"}) == (404, "not_found")


def test_an_account_is_deleted_as_by_its_owner(app: APIFlask, ids: dict[str, str]) -> None:
    user = caller(app, USER)
    assert caller(app, ADMIN).ask("DELETE", f"/users/{ids[USER]}").status_code == 204
    assert code(user, "GET", "/auth/me") == (401, "token_revoked")
    assert caller(app, ADMIN).get(f"/users/{ids[USER]}")["deleted"] is True
    assert len(mails(app, USER, "account_deleted")) == 1
    assert caller(app, USER).get("/auth/me")["id"] == ids[USER]
    assert caller(app, ADMIN).get(f"/users/{ids[USER]}")["deleted"] is False


def test_a_reset_is_started_by_mail(app: APIFlask, ids: dict[str, str]) -> None:
    admin, path = caller(app, ADMIN), f"/users/{ids[USER]}/password-reset"
    reply = admin.ask("POST", path)
    assert (reply.status_code, reply.text) == (202, "")
    assert len(mails(app, USER, "reset_password")) == 1
    change(app, USER, is_disabled=True)
    assert code(admin, "POST", path) == (409, "account_shut")
    assert len(mails(app, USER, "reset_password")) == 1


def test_the_trail_says_who_did_what_to_whom(app: APIFlask, ids: dict[str, str]) -> None:
    admin, path = caller(app, ADMIN), f"/users/{ids[USER]}"
    admin.ask("PATCH", path, {"name": "Ulla", "roles": ["admin"], "disabled": True})
    admin.ask("PATCH", path, {"disabled": False})
    admin.ask("POST", f"{path}/password-reset")
    admin.ask("DELETE", path)
    trail = "SELECT event FROM audit_events WHERE user_id = :user AND actor_id = :actor ORDER BY id"
    found = query(app, trail, user=ids[USER], actor=ids[ADMIN])
    assert {event for (event,) in found} == {
        *("renamed", "roles_changed", "user_disabled", "user_enabled", "user_reset_started"),
        "user_deleted",
    }


# The last admin.


@pytest.mark.parametrize("body", [{"roles": []}, {"disabled": True}, {"roles": ["user"]}])
def test_the_last_admin_stays(app: APIFlask, ids: dict[str, str], body: dict[str, Any]) -> None:
    admin, path = caller(app, ADMIN), f"/users/{ids[ADMIN]}"
    before, events = dump(app)["users"], audited(app)
    assert code(admin, "PATCH", path, {"name": "Gone"} | body) == (409, "last_admin")
    assert code(admin, "DELETE", path) == (409, "last_admin")
    assert code(admin, "DELETE", "/auth/me", {"password": PASSWORD}) == (409, "last_admin")
    assert (dump(app)["users"], audited(app)) == (before, events)
    change(app, OTHER, roles=("admin",))
    assert admin.ask("PATCH", path, body).status_code == 200
