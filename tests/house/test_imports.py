"""What a site does not use is not loaded; what it uses is, before the workers are forked."""

import subprocess
import sys
from pathlib import Path

from config import ROOT
from tests.support import environment_of

# Each of them takes megabytes, and most sites need none.
LIBRARIES = {"alembic", "graphql", "redis", "authlib", "requests", "psycopg", "pymysql"}
EVERYTHING = {
    "DATABASE_URL": "postgresql://127.0.0.1:1/none",
    "GRAPHQL": "on",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "GOOGLE_CLIENT_ID": "id",
    "GOOGLE_CLIENT_SECRET": "secret",
}


def loaded(folder: Path, **variables: str) -> set[str]:
    """Return which of the libraries are there once a site in production is ready to fork."""
    defaults = {
        "APP_ENV": "production",
        "BASE_URL": "https://id.example.org",
        "BCRYPT_COST": "12",
        "DATABASE_URL": f"sqlite:///{folder}/x.db",
    }
    code = "import sys, wsgi, webapp.factory; webapp.factory.warm_up(wsgi.app); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment_of(**(defaults | variables)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return LIBRARIES & set(done.stdout.split())


def test_a_plain_site_loads_none_of_them(tmp_path: Path) -> None:
    assert loaded(tmp_path) == set()


def test_what_a_site_uses_is_loaded_before_its_workers_are_forked(tmp_path: Path) -> None:
    there = loaded(tmp_path, **EVERYTHING)
    assert there == {"graphql", "redis", "authlib", "requests", "psycopg"}
