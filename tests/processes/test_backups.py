"""What a restored backup means for sessions, as docs/deploy.md says it, with the commands there."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from apiflask import APIFlask
from sqlalchemy import make_url

from tests.conftest import MakeApp
from tests.processes.kit import API, Tokens, bearer, newcomer, sign_in
from tests.support import skip
from webapp.extensions import db

Restore = Callable[[], None]

ALICE = "alice@example.com"


def run(*command: str) -> None:
    """Run a command of the documentation, if this machine has it."""
    if shutil.which(command[0]) is None:
        skip(f"{command[0]} is not installed")
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def back_up(url: str, folder: Path) -> Restore:
    """Make a backup, with the site running; return what restores it, with the site stopped."""
    database = make_url(url)
    name, file = str(database.database), str(folder / "backup")
    if database.drivername.startswith("sqlite"):
        run("sqlite3", name, f".backup {file}")

        def copy_back() -> None:
            for beside in ("-wal", "-shm"):
                Path(name + beside).unlink(missing_ok=True)
            shutil.copy(file, name)

        return copy_back
    plain = database.set(drivername="postgresql").render_as_string(hide_password=False)
    run("pg_dump", "--format=custom", f"--file={file}", plain)
    return lambda: run("pg_restore", "--clean", "--if-exists", f"--dbname={plain}", file)


@pytest.mark.parametrize("every_database_url", ["sqlite", "postgresql"], indirect=True)
def test_who_has_refreshed_goes_on_and_who_has_signed_in_since_does_not(
    every_database_url: str, make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(database_url=every_database_url, refresh_grace="0")
    refreshed, signed_out = newcomer(app, ALICE), sign_in(app, ALICE)
    restore = back_up(every_database_url, tmp_path)

    for _ in range(3):
        status, body = post(app, "/refresh", refreshed)
        assert status == 200
        refreshed = Tokens.of(body)
    assert post(app, "/logout", signed_out)[0] == 204
    since = sign_in(app, ALICE)

    with app.app_context():
        db.engine.dispose()
    restore()
    restored = make_app(database_url=every_database_url, refresh_grace="0")

    status, body = post(restored, "/refresh", refreshed)
    assert status == 200
    assert Tokens.of(body).generation == refreshed.generation + 1
    assert post(restored, "/refresh", since)[0] == 401
    # Whoever was signed out is back, which the documentation warns of.
    assert post(restored, "/refresh", signed_out)[0] == 200


def post(app: APIFlask, path: str, tokens: Tokens) -> tuple[int, dict[str, str]]:
    reply = app.test_client().post(f"{API}{path}", headers=bearer(tokens.refresh))
    return reply.status_code, reply.get_json(silent=True) or {}
