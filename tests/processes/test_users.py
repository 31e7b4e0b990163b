"""Accounts looked after, on each database: the list, the search, the last admin."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from apiflask import APIFlask
from sqlalchemy import delete, text

from tests.account_kit import account_of
from tests.doors.probes import create_user
from tests.processes.kit import bearer, new_address, sign_in
from webapp.errors import AuthError, LastAdmin, ValidationFailed
from webapp.extensions import db
from webapp.features.users import directory, flow
from webapp.features.users.directory import Listing
from webapp.features.users.flow import Change
from webapp.models import UserRoleRow
from webapp.services.client import Client
from webapp.services.paging import encode_cursor
from webapp.services.tokens import AccessClaims
from webapp.stores import roles
from webapp.stores.transactions import read

pytestmark = pytest.mark.xdist_group("shared databases")

SHELL = Client(ip="", user_agent="a test")
ADMIN = AccessClaims("", "", None, 0, (), ("user", "admin"))
MEMBER = AccessClaims("", "", None, 0, (), ("user",))


@pytest.fixture
def app(every_shared_database: APIFlask) -> APIFlask:
    """An application on each kind of database in turn, without any admin yet."""
    with every_shared_database.app_context():
        db.session.execute(delete(UserRoleRow))
        db.session.commit()
    return every_shared_database


def make(app: APIFlask, email: str, name: str = "", *given: str) -> str:
    """Make an account and return its id."""
    with app.app_context():
        command = flow.NewUser(email, roles=given, is_verified=True, name=name)
        return flow.create_user(command, SHELL).id


def pages(app: APIFlask, search: str = "", limit: int = 3) -> list[list[str]]:
    """Return the ids of every page of a search by an admin."""
    found, cursor = [], ""
    while True:
        with app.app_context():
            page = directory.list_users(Listing(search, cursor, limit), ADMIN)
        found.append([account.id for account in page.items])
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def test_the_newest_come_first_and_an_insert_moves_nothing(app: APIFlask) -> None:
    ids = [make(app, new_address()) for _ in range(7)]
    with app.app_context():
        first = directory.list_users(Listing(limit=3), ADMIN)
        make(app, new_address())
        second = directory.list_users(Listing(limit=3, cursor=first.next_cursor or ""), ADMIN)
    found = [account.id for account in first.items + second.items]
    assert sorted(found) == sorted(ids[1:])


def test_a_search_finds_each_once_by_address_and_name(app: APIFlask) -> None:
    mark = "x" + new_address()[:8]
    by_address = [make(app, f"{mark}{n}@example.com", name=f"{mark} {n}") for n in range(4)]
    by_name = [make(app, new_address(), name=f"{mark.upper()} Ünlü {n}") for n in range(5)]
    make(app, "z" + new_address(), name=f"not {mark}")
    for limit in range(1, 11):
        found = pages(app, mark, limit)
        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
        assert [one for page in found for one in page] == by_address + by_name
    assert pages(app, f"{mark} ünl") == [by_name[:3], by_name[3:]]


@pytest.mark.parametrize("search", ["%", "_", "a%b", "\\", "'", "\U0001f980", "\U0010ffff", "\0"])
def test_what_is_searched_for_is_taken_as_it_is(app: APIFlask, search: str) -> None:
    name = f"{search}{new_address()}"
    if search in ("\0", "\U0010ffff"):
        assert pages(app, name) == [[]]
    else:
        user_id = make(app, new_address(), name=name)
        assert pages(app, name[:-3]) == [[user_id]]


def test_a_dot_or_a_dash_is_a_letter_like_others(app: APIFlask) -> None:
    """A language's own order would pass over them, and an index then miss who begins with them."""
    mark = new_address()[:10]
    dotted = make(app, f"{mark}.b@example.com")
    dashed = make(app, f"{mark}-b@example.com")
    plain = make(app, f"{mark}b@example.com")
    assert pages(app, f"{mark}.") == [[dotted]]
    assert pages(app, f"{mark}-") == [[dashed]]
    assert pages(app, f"{mark}b") == [[plain]]
    assert pages(app, mark) == [[dashed, dotted, plain]]


def test_a_name_follows_when_it_is_changed(app: APIFlask) -> None:
    mark = new_address()[:12]
    user_id = make(app, "y" + new_address(), name=f"{mark} before")
    with app.app_context():
        flow.change_user(user_id, Change(name=f"After {mark}"), SHELL)
    assert pages(app, mark) == [[]]
    assert pages(app, f"after {mark}") == [[user_id]]


def test_a_made_up_cursor_is_a_place_or_refused(app: APIFlask) -> None:
    with app.app_context():
        directory.list_users(Listing(cursor=encode_cursor("x")), ADMIN)
        for text_ in ("é", "\0"):
            with pytest.raises(ValidationFailed):
                directory.list_users(Listing(cursor=encode_cursor(text_)), ADMIN)


@pytest.mark.parametrize("path", ["users", "people", "auth/sessions"])
@pytest.mark.parametrize("id_", ["é", "%F0%9F%A6%80", "%00", "x" * 300, "%2e%2e"])
def test_an_id_that_is_none_is_not_found(app: APIFlask, path: str, id_: str) -> None:
    email = new_address()
    create_user(app, email)
    with app.app_context():
        flow.change_user(account_of(app, email).id, Change(roles=("admin",)), SHELL)
    headers = bearer(sign_in(app, email).access)
    reply = app.test_client().delete(f"/api/v1/{path}/{id_}", headers=headers)
    assert reply.status_code == 404, reply.text


def test_a_search_walks_an_index(app: APIFlask) -> None:
    """Asked of the planner, over enough accounts that it has a choice."""
    with app.app_context():
        engine = db.engine
        if engine.dialect.name != "sqlite":
            pytest.skip("planners that weigh up sizes are asked by benchmarks/admin_list.py")
        plans = [
            "SELECT id FROM users WHERE email >= 'a' AND email < 'b' AND email > 'aa' "
            "ORDER BY email LIMIT 51",
            "SELECT id FROM users WHERE name_key >= 'a' AND name_key < 'b' AND name_key >= 'aa' "
            "AND (name_key, id) > ('aa', 'x') ORDER BY name_key, id LIMIT 51",
            "SELECT id FROM users WHERE id < 'x' ORDER BY id DESC LIMIT 51",
        ]
        for plan in plans:
            rows = db.session.execute(text(f"EXPLAIN QUERY PLAN {plan}")).all()
            words = " ".join(str(row[3]) for row in rows)
            assert "SEARCH" in words, words
            assert "TEMP B-TREE" not in words, words


# The last administrator.


def race(app: APIFlask, *works: Callable[[], object]) -> list[AuthError | None]:
    """Run several at the same moment and return what refused each."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> AuthError | None:
        with app.app_context():
            gate.wait()
            try:
                work()
            except AuthError as error:
                return error
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def open_admins(app: APIFlask) -> int:
    with app.app_context():
        return read(lambda: roles.count_open("admin"))


def demote(user_id: str, by: str) -> Callable[[], object]:
    return lambda: flow.change_user(user_id, Change(roles=()), SHELL, by)


def disable(user_id: str, by: str) -> Callable[[], object]:
    return lambda: flow.change_user(user_id, Change(is_disabled=True), SHELL, by)


def remove(user_id: str, by: str) -> Callable[[], object]:
    return lambda: flow.delete_user(user_id, SHELL, by)


WAYS = {"demote": demote, "disable": disable, "delete": remove}


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
def test_of_two_admins_who_end_each_other_one_stays(app: APIFlask, first: str, second: str) -> None:
    for _ in range(4):
        one = make(app, new_address(), "", "admin")
        other = make(app, new_address(), "", "admin")
        errors = race(app, WAYS[first](other, one), WAYS[second](one, other))
        assert sorted(type(error).__name__ for error in errors) == ["LastAdmin", "NoneType"]
        assert open_admins(app) == 1
        with app.app_context():
            db.session.execute(delete(UserRoleRow))
            db.session.commit()


def test_of_six_admins_who_all_step_down_one_stays(app: APIFlask) -> None:
    ids = [make(app, new_address(), "", "admin") for _ in range(6)]
    errors = race(app, *(demote(user_id, user_id) for user_id in ids))
    assert [type(error) for error in errors].count(LastAdmin) == 1
    assert open_admins(app) == 1


@pytest.mark.parametrize("way", WAYS)
def test_the_last_admin_stays_as_they_are(app: APIFlask, way: str) -> None:
    email = new_address()
    create_user(app, email)
    user_id = account_of(app, email).id
    with app.app_context():
        flow.change_user(user_id, Change(roles=("admin",)), SHELL)
    make(app, new_address(), "", "admin")
    shut = make(app, new_address(), "", "admin")
    with app.app_context():
        flow.change_user(shut, Change(is_disabled=True), SHELL)
        others = [a.id for a in flow.list_users() if "admin" in a.roles and a.id != user_id]
        for other in others:
            if other != shut:
                flow.change_user(other, Change(roles=()), SHELL)
    before = account_of(app, email)
    tokens = sign_in(app, email)
    with app.app_context(), pytest.raises(LastAdmin):
        WAYS[way](user_id, user_id)()
    after = account_of(app, email)
    assert (after.roles, after.is_disabled, after.is_deleted) == (before.roles, False, False)
    reply = app.test_client().get("/api/v1/users", headers=bearer(tokens.access))
    assert reply.status_code == 200
