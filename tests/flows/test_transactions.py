"""What a transaction promises: all of it or nothing, and nothing left open for who comes next."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from apiflask import APIFlask
from sqlalchemy import create_engine, exc, text

from tests.database_kit import before_statements, on_every_database
from tests.support import parts_of
from webapp import clock
from webapp.errors import NotSignedIn, TemporarilyUnavailable
from webapp.extensions import db
from webapp.services.ids import new_id
from webapp.stores import people, transactions
from webapp.stores.people import Person
from webapp.stores.transactions import (
    LostRace,
    change,
    execute,
    on_commit,
    on_rollback,
    read,
    transact,
)

pytestmark = on_every_database


@pytest.fixture
def app(app: APIFlask) -> Iterator[APIFlask]:
    """An application at hand."""
    with app.app_context():
        yield app


def add(name: str, person_id: str | None = None) -> None:
    people.add(Person(person_id or new_id(), name, "Example", clock.now()))


def names(app: APIFlask) -> list[str]:
    """Return who somebody else's connection sees, in the order of their names."""
    engine = create_engine(parts_of(app).settings.database_url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT first_name FROM people ORDER BY first_name"))
            return list(rows.scalars())
    finally:
        engine.dispose()


# All or nothing.


def refuse() -> None:
    raise NotSignedIn


def break_a_constraint() -> None:
    same = new_id()
    add("carol", same)
    add("dave", same)


def write_no_sql() -> None:
    execute(text("THIS IS NO SQL"))


def interrupt() -> None:
    raise KeyboardInterrupt


def lose_every_race() -> None:
    raise LostRace


def be_refused_within() -> None:
    """A transaction inside of another is a part of it, and ends with it."""
    transact(lambda: add("carol"))
    transact(refuse)


FAILURES: dict[str, tuple[Callable[[], None], tuple[type[BaseException], ...]]] = {
    "an error of ours": (refuse, (NotSignedIn,)),
    "a constraint": (break_a_constraint, (exc.IntegrityError,)),
    # SQLite says this as it says that its file is gone.
    "no SQL": (write_no_sql, (exc.ProgrammingError, TemporarilyUnavailable)),
    "an interruption": (interrupt, (KeyboardInterrupt,)),
    "races lost": (lose_every_race, (TemporarilyUnavailable,)),
    "an error within": (be_refused_within, (NotSignedIn,)),
}


@pytest.mark.parametrize("how", FAILURES)
def test_what_fails_leaves_nothing_behind(
    app: APIFlask, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(transactions, "_PATIENCE", 0.2)
    fail, errors = FAILURES[how]
    told: list[str] = []

    def work() -> None:
        add("alice")
        on_commit(lambda: told.append("committed"))
        on_rollback(lambda: told.append("rolled back"))
        add("bob")
        fail()

    with pytest.raises(errors):
        transact(work)
    assert set(told) == {"rolled back"}
    assert names(app) == []
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    transact(lambda: add("erin"))
    assert names(app) == ["erin"], "the next one commits what is its own"


def test_what_fails_at_its_commit_leaves_nothing_behind(app: APIFlask) -> None:
    def fail(statement: str) -> None:
        if statement == "COMMIT":
            raise LookupError

    with ExitStack() as stack:
        stack.enter_context(before_statements(db.engine, fail))
        stack.enter_context(pytest.raises(LookupError))
        transact(lambda: add("alice"))
    assert names(app) == []
    transact(lambda: add("erin"))
    assert names(app) == ["erin"]


def test_what_loses_a_race_begins_with_nothing_again(app: APIFlask) -> None:
    runs: list[int] = []
    told: list[int] = []

    def work() -> None:
        runs.append(len(people.newest("", 10)))
        add("alice")
        on_commit(partial(told.append, len(runs)))
        if len(runs) < 3:
            raise LostRace

    transact(work)
    assert runs == [0, 0, 0]
    assert names(app) == ["alice"]
    assert told == [3]


def test_nobody_sees_it_before_its_commit_but_itself(app: APIFlask) -> None:
    def work() -> None:
        add("alice")
        assert len(read(lambda: people.newest("", 10))) == 1
        assert names(app) == []

    transact(work)
    assert names(app) == ["alice"]


def test_a_change_lasts_from_its_one_statement_on(app: APIFlask) -> None:
    def work() -> None:
        add("alice")
        assert names(app) == ["alice"]

    change(work)


# Refused, whoever asks: what does not say that it changes something changes nothing.


def test_a_store_is_not_asked_outside_of_it_all(app: APIFlask) -> None:
    for ask in (lambda: people.newest("", 1), lambda: add("alice")):
        with pytest.raises(RuntimeError, match="outside of"):
            ask()
    for promise in (on_commit, on_rollback):
        with pytest.raises(RuntimeError, match="no transaction"):
            promise(lambda: None)
    assert names(app) == []


@pytest.mark.parametrize("inner", [change, transact])
@pytest.mark.parametrize("outer", [read, change])
def test_what_is_less_than_a_transaction_holds_no_change(
    app: APIFlask,
    outer: Callable[[Callable[[], None]], None],
    inner: Callable[[Callable[[], None]], None],
) -> None:
    with pytest.raises(RuntimeError, match="inside of"):
        outer(lambda: inner(lambda: add("alice")))
    assert names(app) == []
    transact(lambda: inner(lambda: add("erin")))
    assert names(app) == ["erin"]


@pytest.mark.parametrize("promise", [on_commit, on_rollback])
def test_a_reading_has_nothing_to_follow_it(
    app: APIFlask, promise: Callable[[Callable[[], None]], None]
) -> None:
    with pytest.raises(RuntimeError, match="no transaction"):
        read(lambda: promise(lambda: None))


def test_an_error_in_one_leaves_nothing_at_hand(app: APIFlask) -> None:
    for run in (read, change, transact):
        with pytest.raises(NotSignedIn):
            run(refuse)
        with pytest.raises(RuntimeError, match="outside of"):
            people.newest("", 1)
