"""Fixtures that all tests share."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.database_kit import (
    CHOSEN,
    KINDS,
    ServerDatabase,
    is_of_another_kind,
    let_time_travel,
    server_database,
)
from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.graphql_kit import GraphqlDoor
from tests.memory_kit import remember_statements, remembered, trust_the_machine
from tests.redis_kit import Server, redis_server
from tests.support import SERVERS, close_app, make_settings, migrate, migrated_database
from webapp import clock
from webapp.extensions import db
from webapp.factory import create_app
from webapp.stores.redis_sessions import RedisSessions

MakeApp = Callable[..., APIFlask]
Closing = Callable[[APIFlask], APIFlask]


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker that brings a test to every kind of database."""
    config.addinivalue_line("markers", "every_database: run on every kind, not on SQLite alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Bring the tests that depend on the store to every kind of database."""
    is_marked = next(metafunc.definition.iter_markers("every_database"), None)
    if is_marked and not CHOSEN and "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", KINDS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about another kind of database than the one that TEST_DATABASE names."""
    left_out = [item for item in items if is_of_another_kind(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what this machine could not offer."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = re.sub(r"^Skipped: ", "", report.longrepr[2])
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        told = "; ".join(f"{reason} ({count} tests)" for reason, count in sorted(reasons.items()))
        terminalreporter.write_line(f"Skipped on this machine: {told}")


@pytest.fixture(scope="session", autouse=True)
def remembering() -> Iterator[None]:
    """What comes out the same for every application is worked out once."""
    with remembered():
        yield


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy, so that each test begins with an empty one of its own."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


MakeServerDatabase = Callable[[str], ServerDatabase]


@pytest.fixture(scope="session")
def server_databases() -> Iterator[MakeServerDatabase]:
    """A function that returns this process's database on a kind of server, made when first used."""
    made: dict[str, ServerDatabase] = {}
    with ExitStack() as stack:

        def database_of(kind: str) -> ServerDatabase:
            if kind not in made:
                made[kind] = stack.enter_context(server_database(kind))
            return made[kind]

        yield database_of


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The address of an empty, migrated SQLite file, for what only SQLite can be made to do."""
    path = tmp_path / "latchkey.db"
    shutil.copy(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture
def database_kind() -> str:
    """The kind of database that a test gets; one marked `every_database` gets each in turn."""
    return CHOSEN or "sqlite"


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, database_kind: str, server_databases: MakeServerDatabase
) -> str:
    """The address of an empty, migrated database."""
    if database_kind == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    database = server_databases(database_kind)
    database.empty()
    return database.url


@pytest.fixture(params=["sqlite", *SERVERS])
def every_database_url(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path
) -> Iterator[str]:
    """The address of an empty, migrated database on each kind of server in turn."""
    with migrated_database(request.param, migrated_file, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A redis-server of this test process's own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def session_store(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The settings that say where sessions are kept; parametrised by `on_each_session_store`."""
    if getattr(request, "param", "sql") == "sql":
        return {}
    server: Server = request.getfixturevalue("redis")
    server.client.flushall()
    # Tests travel in time, and so has the store's clock to, as SQLite's does, which is ours.
    monkeypatch.setattr(RedisSessions, "tell_time", staticmethod(lambda _: clock.now()))
    return {"session_store": "redis", "redis_url": server.url}


@pytest.fixture
def closing() -> Iterator[Closing]:
    """A function that has an application closed when the test is over, and returns it."""
    with ExitStack() as stack:

        def close_later(app: APIFlask) -> APIFlask:
            stack.callback(close_app, app)
            return app

        yield close_later


@pytest.fixture
def make_app(database_url: str, session_store: dict[str, str], closing: Closing) -> MakeApp:
    """A function that makes an application; its keyword arguments are settings."""

    def make(**overrides: Any) -> APIFlask:
        values = session_store | overrides
        given = make_settings(values.pop("database_url", database_url), **values)
        app = closing(create_app(given))
        with app.app_context():
            let_time_travel(db.engine)
            remember_statements(db.engine)
            trust_the_machine(db.engine)
        return app

    return make


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """An application with a test's settings."""
    return make_app(graphql=True)


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A browser without anything in it."""
    return app.test_client()


@pytest.fixture(params=[PagesDoor, JsonDoor], ids=["pages", "json"])
def door(request: pytest.FixtureRequest, app: APIFlask) -> Door:
    """Each door in turn, with a browser of its own: one test for the behaviour of both."""
    made: Door = request.param(app)
    return made


@pytest.fixture(params=[PagesDoor, JsonDoor, GraphqlDoor], ids=["pages", "json", "graphql"])
def every_door(request: pytest.FixtureRequest, app: APIFlask) -> Door:
    """As `door`, and the GraphQL door too, for what it can do and says in the same way."""
    made: Door = request.param(app)
    return made


@pytest.fixture
def open_door(request: pytest.FixtureRequest) -> Callable[[APIFlask], Door]:
    """As `door`, for an application that the test makes itself; parametrise indirectly."""
    kind: type[Door] = request.param
    return kind
