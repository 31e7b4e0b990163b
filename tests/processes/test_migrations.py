"""Migrations: there and back, whole or not at all, and beside a site that is in use."""

import shutil
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from apiflask import APIFlask
from sqlalchemy import create_engine, exc, inspect, select, text, update

from config import ROOT
from tests.doors_kit import JsonDoor
from tests.processes.kit import new_address, newcomer
from tests.support import parts_of
from webapp.extensions import Base, db
from webapp.models import UserRow
from webapp.stores.transactions import execute, transact

pytestmark = pytest.mark.xdist_group("shared databases")


@pytest.fixture
def app(every_shared_database: APIFlask) -> APIFlask:
    """An application on each kind of database in turn, in place of one on SQLite."""
    return every_shared_database


def test_models_and_migrations_agree(app: APIFlask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_go_down_and_up_again(app: APIFlask) -> None:
    with app.app_context():
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        assert app.test_client().get("/readyz").status_code == 503
        flask_migrate.upgrade()
        flask_migrate.upgrade()
        assert app.test_client().get("/readyz").status_code == 200
    assert newcomer(app).generation == 1


HALF_WAY = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9999", {newest!r}

def upgrade():
    op.execute("UPDATE users SET name = 'half' WHERE email = '{email}'")
    if op.get_bind().dialect.name != "mariadb":  # It commits before it makes a table.
        op.create_table("half", sa.Column("id", sa.Integer))
    op.execute("THIS IS NO SQL")
"""


def with_migration(folder: Path, script: str, **values: str) -> Path:
    """Return a copy of the migrations with one more of them."""
    copy = folder / "migrations"
    shutil.copytree(ROOT / "migrations", copy, ignore=shutil.ignore_patterns("__pycache__"))
    newest = ScriptDirectory(str(copy)).get_current_head()
    (copy / "versions" / "9999_next.py").write_text(script.format(newest=newest, **values))
    return copy


def test_a_migration_that_fails_half_way_leaves_nothing(app: APIFlask, tmp_path: Path) -> None:
    email = new_address()
    JsonDoor(app).make_account(email)
    folder = with_migration(tmp_path, HALF_WAY, email=email)
    newest = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    with app.app_context():
        for _ in range(2):
            with pytest.raises(exc.DBAPIError, match="THIS IS NO SQL"):
                flask_migrate.upgrade(directory=str(folder))
        assert "half" not in inspect(db.engine).get_table_names()
        assert db.session.scalar(text("SELECT version_num FROM alembic_version")) == newest
        kept = db.session.scalar(select(UserRow.name).where(UserRow.email == email))
        assert kept != "half"
        # What is done next over these connections is committed.
        transact(lambda: execute(update(UserRow).values(name="next")))
    engine = create_engine(parts_of(app).settings.database_url)
    with engine.connect() as connection:
        assert connection.scalar(select(UserRow.name).where(UserRow.email == email)) == "next"
    engine.dispose()


BESIDE = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9999", {newest!r}

def upgrade():
    op.get_bind().scalar(sa.text("SELECT count(*) FROM users"))
    engine = sa.create_engine({url!r})
    with engine.begin() as site:
        site.execute(sa.text("UPDATE users SET name = 'site' WHERE email = '{email}'"))
    engine.dispose()
    op.execute("UPDATE users SET name = name || ' and migration' WHERE email = '{email}'")

def downgrade():
    pass
"""


@pytest.mark.parametrize("every_shared_database", ["postgresql"], indirect=True, scope="module")
def test_a_migration_is_not_refused_for_what_the_site_writes_meanwhile(
    app: APIFlask, tmp_path: Path
) -> None:
    """As strictly as the database does by itself, and no more."""
    email = new_address()
    JsonDoor(app).make_account(email)
    url = parts_of(app).settings.database_url
    folder = with_migration(tmp_path, BESIDE, email=email, url=url)
    with app.app_context():
        flask_migrate.upgrade(directory=str(folder))
        name = db.session.scalar(select(UserRow.name).where(UserRow.email == email))
        flask_migrate.downgrade(directory=str(folder))
    assert name == "site and migration"
