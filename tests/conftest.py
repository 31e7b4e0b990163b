"""Fixtures that all tests share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.support import SERVERS, make_settings, migrate, migrated_database
from webapp.extensions import db
from webapp.factory import create_app

MakeApp = Callable[..., APIFlask]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy, so that each test begins with an empty one of its own."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def database_url(migrated_file: Path, tmp_path: Path) -> str:
    """The address of an empty, migrated SQLite file."""
    path = tmp_path / "latchkey.db"
    shutil.copy(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", *SERVERS])
def every_database_url(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path
) -> Iterator[str]:
    """The address of an empty, migrated database on each kind of server in turn."""
    with migrated_database(request.param, migrated_file, tmp_path) as url:
        yield url


@pytest.fixture
def make_app(database_url: str) -> Iterator[MakeApp]:
    """A function that makes an application; its keyword arguments are settings."""
    made: list[APIFlask] = []

    def make(**overrides: Any) -> APIFlask:
        app = create_app(make_settings(overrides.pop("database_url", database_url), **overrides))
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """An application with a test's settings."""
    return make_app()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A browser without anything in it."""
    return app.test_client()


@pytest.fixture(params=[PagesDoor, JsonDoor], ids=["pages", "json"])
def door(request: pytest.FixtureRequest, app: APIFlask) -> Door:
    """Each door in turn, with a browser of its own: one test for the behaviour of both."""
    made: Door = request.param(app)
    return made


@pytest.fixture
def open_door(request: pytest.FixtureRequest) -> Callable[[APIFlask], Door]:
    """As `door`, for an application that the test makes itself; parametrise indirectly."""
    kind: type[Door] = request.param
    return kind
