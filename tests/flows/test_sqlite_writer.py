"""SQLite's one writer: threads of a process queue for it, and whatever fails gives it up again."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from apiflask import APIFlask
from sqlalchemy import event, exc, text

from tests.conftest import MakeApp
from tests.database_kit import before_statements
from webapp import clock
from webapp.errors import NotSignedIn, TemporarilyUnavailable
from webapp.extensions import db
from webapp.services.ids import new_id
from webapp.stores import people, transactions
from webapp.stores.people import Person
from webapp.stores.transactions import change, execute, on_commit, on_rollback, read, transact

Run = Callable[[Callable[[], None]], None]


@pytest.fixture
def app(make_app: MakeApp, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[APIFlask]:
    """An application on SQLite at hand, which is not as patient as otherwise."""
    monkeypatch.setattr(transactions, "_PATIENCE", 0.5)
    app = make_app(database_url=sqlite_url)
    with app.app_context():
        # Nor does SQLite itself wait for another process.
        event.listen(db.engine, "connect", lambda made, _: made.execute("PRAGMA busy_timeout = 0"))
        db.engine.dispose()
        yield app


def add(name: str = "alice", person_id: str | None = None) -> None:
    people.add(Person(person_id or new_id(), name, "Example", clock.now()))


def names() -> list[str]:
    return sorted(person.first_name for person in read(lambda: people.newest("", 100)))


def within(app: APIFlask, run: Run, work: Callable[[], None]) -> None:
    with app.app_context():
        run(work)


@contextmanager
def another_process(url: str) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection, which no lock of ours is about."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        yield other


# Ways to fail; each is given where it happens, and does what makes it happen.


def refuse() -> None:
    add()
    raise NotSignedIn


def interrupt() -> None:
    add()
    raise KeyboardInterrupt


def break_a_constraint() -> None:
    same = new_id()
    add("alice", same)
    add("alice", same)


def write_no_sql() -> None:
    execute(text("THIS IS NO SQL"))


def promise_a_constraint() -> None:
    """Break one that is looked at by the commit, which then fails and leaves all of it open."""
    execute(text("PRAGMA defer_foreign_keys = ON"))
    execute(text("INSERT INTO user_roles (user_id, role) VALUES ('nobody', 'user')"))


def follow_badly() -> None:
    add("erin")
    on_commit(refuse_later)


def be_taken_back_badly() -> None:
    add()
    on_rollback(refuse_later)
    raise LookupError


def refuse_later() -> None:
    raise NotSignedIn


FAILURES: dict[str, tuple[Callable[[], None], type[BaseException]]] = {
    "an error of ours": (refuse, NotSignedIn),
    "an interruption": (interrupt, KeyboardInterrupt),
    "a constraint": (break_a_constraint, exc.IntegrityError),
    "no SQL": (write_no_sql, TemporarilyUnavailable),
    "its commit": (promise_a_constraint, exc.IntegrityError),
    "what follows the commit": (follow_badly, NotSignedIn),
    "what follows the rollback": (be_taken_back_badly, NotSignedIn),
}


def is_free(app: APIFlask) -> bool:
    """Whether another thread may write, at once; this one could while it holds the lock itself."""
    with ThreadPoolExecutor(1) as pool:
        for run in (transact, change):
            pool.submit(within, app, run, lambda: add("free")).result(5)
    return names().count("free") == 2


@pytest.mark.parametrize("how", FAILURES)
def test_a_transaction_that_fails_gives_it_up(app: APIFlask, how: str) -> None:
    work, error = FAILURES[how]
    with pytest.raises(error):
        transact(work)
    assert is_free(app)
    assert "alice" not in names()


@pytest.mark.parametrize("how", ["an error of ours", "an interruption", "a constraint", "no SQL"])
def test_a_change_that_fails_gives_it_up(app: APIFlask, how: str) -> None:
    work, error = FAILURES[how]
    with pytest.raises(error):
        change(work)
    assert is_free(app)


@pytest.mark.parametrize("run", [transact, change])
def test_a_file_that_cannot_be_opened(
    make_app: MakeApp, app: APIFlask, tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "gone"
    other = make_app(database_url=f"sqlite:///{folder}/x.db")
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()
    with other.app_context():
        db.engine.dispose()
        with pytest.raises(TemporarilyUnavailable):
            run(add)
    assert is_free(app)


@pytest.mark.parametrize("run", [transact, change])
def test_a_file_that_another_process_writes_to(app: APIFlask, sqlite_url: str, run: Run) -> None:
    with another_process(sqlite_url) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(TemporarilyUnavailable):
            run(add)
        assert time.monotonic() - began < 5
        assert names() == [], "who only reads does not wait"
        other.execute("ROLLBACK")
    assert is_free(app)
    assert "alice" not in names()


@pytest.mark.parametrize("run", [transact, change])
def test_no_connection_left_in_the_pool(
    app: APIFlask, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(db.engine.pool, "_timeout", 0.1)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(db.engine.connect())
        with pytest.raises(TemporarilyUnavailable):
            run(add)
    assert is_free(app)


@pytest.mark.parametrize("beginning", ["BEGIN", "INSERT", "COMMIT"])
def test_an_error_at_any_statement(app: APIFlask, beginning: str) -> None:
    def fail(statement: str) -> None:
        if statement.startswith(beginning):
            raise KeyboardInterrupt

    with before_statements(db.engine, fail), pytest.raises(KeyboardInterrupt):
        transact(add)
    assert is_free(app)
    assert "alice" not in names()


# The queue.


def test_who_waits_for_too_long_is_told_and_who_reads_does_not_wait(app: APIFlask) -> None:
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        add("holder")
        holds.set()
        assert may_end.wait(10)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(within, app, transact, hold)
        assert holds.wait(10)
        for run in (transact, change):
            began = time.monotonic()
            with pytest.raises(TemporarilyUnavailable):
                run(add)
            assert 0.4 < time.monotonic() - began < 3
        assert names() == []
        may_end.set()
        holder.result(10)
    assert names() == ["holder"]
    assert is_free(app)


def test_what_has_no_need_of_the_database_does_not_queue(app: APIFlask) -> None:
    """With the sessions in Redis, a refresh changes nothing here."""
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        add("holder")
        holds.set()
        assert may_end.wait(10)

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(within, app, transact, hold)
        assert holds.wait(10)
        for run in (transact, change):
            run(lambda: None)
        may_end.set()
        holder.result(10)


def test_thirty_two_threads_write_one_after_the_other(
    app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them finds it busy, although SQLite itself does not wait at all here."""
    monkeypatch.setattr(transactions, "_PATIENCE", 30)
    busy: list[int] = []
    monkeypatch.setattr(transactions, "_back_off", busy.append)

    def write(number: int) -> None:
        run = (transact, change)[number % 2]
        within(app, run, lambda: add(f"{number:02}"))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(64)))
    assert names() == [f"{number:02}" for number in range(64)]
    assert busy == []
