"""The database that a test begins with: empty and migrated, on the kind that TEST_DATABASE names.

Making one on a server takes a second or two, so each process of the tests makes one, once, and
empties it before each test; a SQLite file is copied.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, create_engine, event, exc, select
from time_machine import escape_hatch

from tests.support import SERVERS, database_on, migrate, skip_without
from webapp import clock

KINDS = ("sqlite", *SERVERS)

# The kind that the whole suite is run on; by default SQLite, with the tests that say so on all.
CHOSEN = os.environ.get("TEST_DATABASE", "")
if CHOSEN not in ("", *KINDS):
    raise pytest.UsageError(f"TEST_DATABASE is {CHOSEN!r}; it may be {', '.join(KINDS)}.")

# What depends on the store: run on every kind, and not on SQLite alone.
on_every_database = pytest.mark.every_database


class ServerDatabase:
    """A migrated database on a server, which one test after the other gets empty."""

    def __init__(self, url: str) -> None:
        """Migrate it, and remember what the migrations have put in: that is not to be emptied."""
        self.url = url
        self._engine: Engine = create_engine(url)
        self._prepare()

    def empty(self) -> None:
        """Bring it back to what it was when it was migrated."""
        try:
            with self._engine.begin() as connection:
                for table in reversed(self._tables.sorted_tables):
                    connection.execute(table.delete())
                for table in self._tables.sorted_tables:
                    if seeds := self._seeds[table.name]:
                        connection.execute(table.insert(), [dict(row) for row in seeds])
        except exc.ProgrammingError:
            # The test before this one took a table away, to see what happens then.
            self._prepare()

    def close(self) -> None:
        """Let go of its connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        left_over = MetaData()
        left_over.reflect(self._engine)
        left_over.drop_all(self._engine)
        migrate(self.url)
        self._tables = MetaData()
        self._tables.reflect(self._engine)
        with self._engine.connect() as connection:
            self._seeds = {
                table.name: connection.execute(select(table)).mappings().all()
                for table in self._tables.sorted_tables
            }


def let_time_travel(engine: Engine) -> None:
    """Have a server's clock go with a test that moves time; SQLite has this process's own clock.

    What is asked is still the server's clock; as far ahead as the test is, its answer is moved.
    """
    kind = engine.dialect.name
    if kind == "sqlite":
        return
    asked, ahead_by = (
        (r"clock_timestamp\(\)", "interval '1 microsecond' * {}")
        if kind == "postgresql"
        else (r"utc_timestamp\(%(?:\(\w+\))?s\)", "interval {} microsecond")
    )

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def move(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> Any:
        if escape_hatch.is_travelling():
            ahead = clock.now() - escape_hatch.datetime.datetime.now(UTC)
            by = ahead_by.format(ahead // timedelta(microseconds=1))
            statement = re.sub(asked, lambda found: f"({found[0]} + {by})", statement)
        return statement, values


@contextmanager
def before_statements(engine: Engine, act: Callable[[str], None]) -> Iterator[None]:
    """Do something before each statement that is sent, of which BEGIN and COMMIT are two."""

    def tell(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        act(statement)

    event.listen(engine, "before_cursor_execute", tell)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", tell)


@contextmanager
def server_database(kind: str) -> Iterator[ServerDatabase]:
    """Make a database on a server, and drop it afterwards."""
    skip_without(kind)
    with database_on(kind) as url:
        database = ServerDatabase(url)
        try:
            yield database
        finally:
            database.close()


def is_of_another_kind(item: pytest.Item) -> bool:
    """Whether a test is about a kind of database that this run is not for."""
    callspec: Any = getattr(item, "callspec", None)
    kinds = {value for value in callspec.params.values() if value in KINDS} if callspec else set()
    return bool(CHOSEN and kinds and CHOSEN not in kinds)
