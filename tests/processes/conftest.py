"""Databases that the tests of one file share, since making one takes a second or two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask

from tests.support import SERVERS, make_settings, migrated_database
from webapp.extensions import db
from webapp.factory import create_app


@pytest.fixture(scope="module", params=["sqlite", *SERVERS])
def every_shared_database(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[APIFlask]:
    """An application on each kind of database in turn; its tests use addresses of their own."""
    folder = tmp_path_factory.mktemp("shared")
    with migrated_database(request.param, migrated_file, folder) as url:
        app = create_app(make_settings(url))
        yield app
        with app.app_context():
            db.engine.dispose()
