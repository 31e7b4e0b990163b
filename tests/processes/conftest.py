"""Databases that the tests of one file share, since making one takes a second or two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask

from tests.redis_kit import Server
from tests.support import SERVERS, close_app, make_settings, migrated_database
from webapp.factory import create_app


@pytest.fixture(scope="module", params=["sqlite", *SERVERS, "redis"])
def every_shared_database(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[APIFlask]:
    """An application on each kind of database in turn; its tests use addresses of their own.

    The last one keeps its sessions in Redis, and all else in SQLite.
    """
    folder = tmp_path_factory.mktemp("shared")
    kept, database = {}, request.param
    if database == "redis":
        server: Server = request.getfixturevalue("redis")
        kept, database = {"session_store": "redis", "redis_url": server.url}, "sqlite"
    with migrated_database(database, migrated_file, folder) as url:
        app = create_app(make_settings(url, **kept))
        yield app
        close_app(app)
