"""Bodies that want too much: roles, another id, an address that counts as proved."""

from typing import Any

import pytest
from apiflask import APIFlask

from tests.account_kit import account_of
from tests.admin_kit import ADMIN, USER, caller, make
from tests.doors.probes import dump
from tests.doors.test_users import NOBODYS, code
from tests.support import PASSWORD


@pytest.fixture
def ids(app: APIFlask) -> dict[str, str]:
    """An admin and a user; their ids."""
    return {ADMIN: make(app, ADMIN, "admin"), USER: make(app, USER, name="Ursula")}


@pytest.mark.parametrize("field", [{"roles": ["admin"]}, {"disabled": False}, {"roles": None}])
def test_one_changes_ones_own_name_alone(
    app: APIFlask, ids: dict[str, str], field: dict[str, Any]
) -> None:
    user, path = caller(app, USER), f"/users/{ids[USER]}"
    assert user.ask("PATCH", path, {"name": "Ulla"}).get_json()["name"] == "Ulla"
    assert code(user, "PATCH", path, {"name": "Uma"} | field) == (403, "forbidden")
    assert user.get("/auth/me")["name"] == "Ulla"


GREEDY = {
    "id": NOBODYS,
    "email": "mine@example.com",
    "email_verified": True,
    "email_verified_at": "2020-01-01T00:00:00Z",
    "role": "admin",
    "password": "x" * 12,
    "password_hash": "x",
    "is_disabled": True,
    "created_at": "2020-01-01T00:00:00Z",
}


@pytest.mark.parametrize("path", ["/auth/me", "/users/{id}"])
@pytest.mark.parametrize("who", [USER, ADMIN])
def test_what_a_body_brings_in_is_left_out(
    app: APIFlask, ids: dict[str, str], who: str, path: str
) -> None:
    rows = {row[0]: row for row in dump(app)["users"]}
    reply = caller(app, who).ask("PATCH", path.format(id=ids[who]), GREEDY)
    assert reply.status_code == 200
    account = account_of(app, who)
    assert (account.id, account.email) == (ids[who], who)
    before = rows[ids[who]]
    after = {row[0]: row for row in dump(app)["users"]}[ids[who]]
    changed = [b != a for b, a in zip(before, after, strict=True)]
    assert changed.count(True) <= 2  # when it signed in, and when the row was last changed


def test_a_sign_up_gives_itself_nothing(app: APIFlask) -> None:
    body = {"email": USER, "password": PASSWORD, "roles": ["admin"], **GREEDY}
    body |= {"email": USER, "password": PASSWORD}
    assert code(caller(app), "POST", "/auth/signup", body)[0] == 202
    account = account_of(app, USER)
    assert (account.roles, account.email_verified, account.is_disabled) == (("user",), False, False)
    assert account.id != NOBODYS
