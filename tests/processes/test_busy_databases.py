"""Locks, deadlocks and lost races: tried again, and told in time where that is no use."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, create_engine, exc, select, text, update

from tests.doors_kit import JsonDoor
from tests.processes.kit import (
    API,
    Tokens,
    bearer,
    is_file,
    new_address,
    newcomer,
)
from tests.support import SERVERS, parts_of
from webapp.extensions import db
from webapp.models import UserRow
from webapp.stores import users
from webapp.stores.transactions import execute, read, scalar, transact

pytestmark = pytest.mark.xdist_group("busy databases")


@pytest.fixture
def app(every_shared_database: APIFlask) -> APIFlask:
    """An application on each kind of database in turn, in place of one on SQLite."""
    return every_shared_database


@contextmanager
def another_connection(app: APIFlask) -> Iterator[Connection]:
    """Somebody else's connection to the same database."""
    engine = create_engine(parts_of(app).settings.database_url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def locked(app: APIFlask, tokens: Tokens) -> Iterator[None]:
    """Hold the lock that moving this session on needs: on SQLite, the one of the whole file."""
    with another_connection(app) as connection:
        if is_file(app):
            connection.execute(text("BEGIN IMMEDIATE"))
        query = "UPDATE sessions SET ip = ip WHERE id = :id"
        connection.execute(text(query), {"id": tokens.session_id})
        yield
        connection.rollback()


def refresh(app: APIFlask, tokens: Tokens) -> tuple[int, list[str]]:
    response = app.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    return response.status_code, response.headers.getlist("Set-Cookie")


# A session in Redis takes no lock of the database to move on.
in_databases = pytest.mark.parametrize(
    "every_shared_database", ["sqlite", *SERVERS], indirect=True, scope="module"
)


@in_databases
def test_a_refresh_waits_for_a_lock_that_is_held_for_a_second(app: APIFlask) -> None:
    tokens = newcomer(app)
    with ThreadPoolExecutor(1) as pool:
        with locked(app, tokens):
            answer = pool.submit(refresh, app, tokens)
            threading.Event().wait(1)
            assert not answer.done()
        assert answer.result(30)[0] == 200


@in_databases
def test_a_lock_held_for_too_long_is_told_and_heals(app: APIFlask) -> None:
    tokens = newcomer(app)
    door = JsonDoor(app)
    email = new_address()
    door.make_account(email)
    assert door.sign_in(email).is_fine
    with locked(app, tokens):
        status, cookies = refresh(app, tokens)
        assert status == 503
        assert not cookies
        # Nobody else is signed out either: who only reads does not wait.
        assert door.who_am_i() == email
    assert refresh(app, tokens)[0] == 200


# SQLite has one lock, so nobody waits for a second one.
@pytest.mark.parametrize("every_shared_database", list(SERVERS), indirect=True, scope="module")
def test_a_deadlock_is_tried_again(app: APIFlask) -> None:
    """Two transactions take two rows in opposite order; the loser of the two runs again."""
    emails = [new_address(), new_address()]
    for email in emails:
        JsonDoor(app).make_account(email)
    both_have_one = threading.Barrier(2)
    runs: list[int] = []

    def rename(order: int) -> None:
        first, second = emails[::order]

        def work() -> None:
            runs.append(order)
            _set_name(first, f"first of {order}")
            if len(runs) <= 2:
                both_have_one.wait(10)
            _set_name(second, f"second of {order}")

        with app.app_context():
            transact(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rename, (1, -1)))
    assert len(runs) == 3
    names = {name_of(app, email) for email in emails}
    # Whoever came last wrote both rows.
    assert names in ({"first of 1", "second of 1"}, {"first of -1", "second of -1"})


def _set_name(email: str, name: str) -> None:
    execute(update(UserRow).where(UserRow.email == email).values(name=name))


def name_of(app: APIFlask, email: str) -> str:
    with app.app_context():
        account = read(lambda: users.find_by_email(email))
    assert account
    return account.name


RENAME = text("UPDATE users SET name = 'b' WHERE email = :email")


@pytest.mark.parametrize("every_shared_database", list(SERVERS), indirect=True, scope="module")
def test_a_changed_record_is_read_again(app: APIFlask) -> None:
    """A snapshot that is no longer the newest must not be written on."""
    email = new_address()
    JsonDoor(app).make_account(email)
    runs = 0

    def append_a_letter() -> None:
        nonlocal runs
        runs += 1
        _take_a_snapshot()
        name = scalar(select(UserRow.name).where(UserRow.email == email))
        if runs == 1:
            with another_connection(app) as other:
                other.execute(RENAME, {"email": email})
                other.commit()
        _set_name(email, f"{name}c")

    with app.app_context():
        transact(append_a_letter)
    assert name_of(app, email) == "bc"
    assert runs == 2


def _take_a_snapshot() -> None:
    """Ask for what the databases do not all do by themselves: one view of the data throughout."""
    if db.engine.dialect.name == "postgresql":
        execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    else:
        execute(text("SET SESSION innodb_snapshot_isolation = ON"))


@pytest.mark.parametrize("every_shared_database", ["sqlite"], indirect=True, scope="module")
def test_nobody_writes_between_what_a_transaction_reads_and_writes(app: APIFlask) -> None:
    """SQLite's has the one lock from its beginning, so that no snapshot of its can be too old."""
    email = new_address()
    JsonDoor(app).make_account(email)

    def append_a_letter() -> None:
        name = scalar(select(UserRow.name).where(UserRow.email == email))
        with another_connection(app) as other:
            other.exec_driver_sql("PRAGMA busy_timeout = 0")
            with pytest.raises(exc.OperationalError, match="locked"):
                other.execute(RENAME, {"email": email})
        _set_name(email, f"{name}c")

    with app.app_context():
        transact(append_a_letter)
    assert name_of(app, email) == "c"
