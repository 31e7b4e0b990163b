"""`flask keys`: what it does, what it says, and when it refuses."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from apiflask import APIFlask
from click.testing import Result

from tests.conftest import MakeApp
from tests.processes.kit import bearer, newcomer
from tests.support import environment_of, parts_of, run_flask
from webapp import clock
from webapp.extensions import db
from webapp.models import AuditEventRow
from webapp.services.keys import KeyRing
from webapp.services.signing_keys import SigningKey, make_key

Flask = Callable[..., Result]

ME = "/api/v1/auth/me"


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> APIFlask:
    """An application whose keys are in a directory."""
    return make_app(jwt_private_key="", keys_dir=str(tmp_path / "keys"))


@pytest.fixture
def flask(app: APIFlask) -> Flask:
    """Run a command as `flask` does."""
    return lambda *arguments: app.test_cli_runner().invoke(args=arguments)


def kids(app: APIFlask) -> list[str]:
    return [key.kid for key in parts_of(app).keys.all()]


def look_again(app: APIFlask) -> None:
    """Forget when the ring last looked, as two seconds would."""
    parts_of(app).keys._looked_at = float("-inf")


def refused(done: Result) -> str:
    assert done.exit_code == 1, done.stdout
    [sentence] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return sentence.removeprefix("Error: ")


def test_keys_are_rotated_listed_and_retired(flask: Flask, app: APIFlask) -> None:
    [first] = kids(app)
    assert flask("keys", "list").stdout == f"{first}  signs  eddsa-first.pem\n"
    said = flask("keys", "rotate").stdout
    new = said.split()[0]
    assert re.match(r"[\w-]{43} is published now, and signs from 20\d\d-.* UTC\.\n", said)
    look_again(app)
    assert [line.split("  ")[:2] for line in flask("keys", "list").stdout.splitlines()] == [
        [first, "signs"],
        [new, re.findall(r"signs from .* UTC", said)[0]],
    ]
    assert "is the key that signs, or the next one to" in refused(flask("keys", "retire", first))
    assert "is the key that signs, or the next one to" in refused(flask("keys", "retire", new))

    with time_machine.travel(clock.now() + timedelta(seconds=10)):
        look_again(app)
        old, present = flask("keys", "list").stdout.splitlines()
        assert re.search(rf"{first}  verifies, needed until 20\d\d-.* UTC  eddsa-first", old)
        assert re.search(rf"{new}  signs  eddsa-20\d\d.*\.pem", present)
        sentence = refused(flask("keys", "retire", first))
        assert re.search(r" until (.* UTC)  ", old)[1] in sentence  # type: ignore[index]

    # The last refresh token that it signed lasts 30 days from when the new one took over.
    with time_machine.travel(clock.now() + timedelta(days=30)):
        assert "is needed until" in refused(flask("keys", "retire", first))
    with time_machine.travel(clock.now() + timedelta(days=30, minutes=2)):
        look_again(app)
        assert f"{first}  verifies, can be retired" in flask("keys", "list").stdout
        assert flask("keys", "retire", first).exit_code == 0
        look_again(app)
        assert kids(app) == [new]
        assert "There is no key" in refused(flask("keys", "retire", first))
    assert not (parts_of(app).settings.keys_dir / Path("eddsa-first.pem")).exists()


def test_the_absolute_limit_of_a_session_bounds_its_tokens(
    make_app: MakeApp, tmp_path: Path
) -> None:
    """However long REFRESH_TOKEN_EXPIRES is, no token outlives its session."""
    app = make_app(
        jwt_private_key="", keys_dir=str(tmp_path / "keys"), session_lifetime=timedelta(hours=1)
    )
    [first] = kids(app)
    run = app.test_cli_runner().invoke
    run(args=("keys", "rotate"))
    with time_machine.travel(clock.now() + timedelta(minutes=62)):
        look_again(app)
        assert run(args=("keys", "retire", first)).exit_code == 0


def test_a_key_that_leaked_can_be_retired_at_once(flask: Flask, app: APIFlask) -> None:
    tokens = newcomer(app)
    [first] = kids(app)
    flask("keys", "rotate")
    client = app.test_client()
    with time_machine.travel(clock.now() + timedelta(seconds=10)):
        look_again(app)
        assert client.get(ME, headers=bearer(tokens.access)).status_code == 200
        assert flask("keys", "retire", first, "--now").exit_code == 0
        look_again(app)
        assert client.get(ME, headers=bearer(tokens.access)).get_json()["code"] == "token_invalid"


def test_a_key_may_be_published_long_before_it_signs(flask: Flask, app: APIFlask) -> None:
    [first] = kids(app)
    new = flask("keys", "rotate", "--in", "10m").stdout.split()[0]
    look_again(app)
    published = app.test_client().get("/.well-known/jwks.json").get_json()["keys"]
    assert [key["kid"] for key in published] == [first, new]
    with time_machine.travel(clock.now() + timedelta(minutes=9)):
        assert parts_of(app).keys.signing.kid == first
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert parts_of(app).keys.signing.kid == new
    assert "write a duration" in flask("keys", "rotate", "--in", "soon").stderr


def test_what_is_done_to_keys_is_audited(flask: Flask, app: APIFlask) -> None:
    new = flask("keys", "rotate").stdout.split()[0]
    [first] = set(kids(app)) - {new}
    with time_machine.travel(clock.now() + timedelta(seconds=10)):
        look_again(app)
        flask("keys", "retire", first, "--now")
    with app.app_context():
        rows = db.session.query(AuditEventRow).order_by(AuditEventRow.at)
        events = [(row.event, row.detail) for row in rows]
    assert events == [("key_rotated", new), ("key_retired", first)]


def test_keys_of_the_environment_are_changed_by_hand(make_app: MakeApp) -> None:
    run = make_app().test_cli_runner().invoke
    for command in (("rotate",), ("retire", "x")):
        sentence = refused(run(args=("keys", *command)))
        assert "The keys come from JWT_PRIVATE_KEY, which no command can change." in sentence
    assert "set KEYS_DIR" in refused(run(args=("keys", "rotate")))
    assert run(args=("keys", "list")).stdout.endswith("  signs  JWT_PRIVATE_KEY\n")


def test_secrets_of_the_environment_are_changed_by_hand(make_app: MakeApp) -> None:
    both = f"{make_key('HS256')},{make_key('HS256')}"
    app = make_app(jwt_algorithm="HS256", jwt_private_key="", jwt_secret=both)
    run = app.test_cli_runner().invoke
    assert "put a new secret behind the present one in JWT_SECRET, after a comma" in refused(
        run(args=("keys", "rotate"))
    )
    verifies, signs = run(args=("keys", "list")).stdout.splitlines()
    assert ("verifies" in verifies, "signs" in signs) == (True, True)
    assert not any(secret in verifies + signs for secret in both.split(","))


def test_a_directory_that_cannot_be_written_to_is_told_in_a_sentence(
    flask: Flask, app: APIFlask
) -> None:
    folder = Path(parts_of(app).settings.keys_dir)
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("")
    assert "cannot be written to" in refused(flask("keys", "rotate"))


def test_a_database_that_is_down_keeps_nobody_from_rotating(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(
        jwt_private_key="",
        keys_dir=str(tmp_path / "keys"),
        database_url="postgresql://postgres@127.0.0.1:1/latchkey",
    )
    assert app.test_cli_runner().invoke(args=("keys", "rotate")).exit_code == 0
    look_again(app)
    assert len(kids(app)) == 2


def test_the_command_runs_in_a_process_of_its_own(database_url: str, tmp_path: Path) -> None:
    environment = environment_of(
        DATABASE_URL=database_url, JWT_PRIVATE_KEY="", KEYS_DIR=str(tmp_path / "keys")
    )
    done = run_flask("keys", "rotate", environment=environment)
    assert "is published now" in done.stdout
    assert len(list((tmp_path / "keys").iterdir())) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "keys").iterdir())


class Restless(KeyRing):
    """A ring at the moment of a rotation: whoever asks twice gets two keys."""

    turn = 0

    @property
    def signing(self) -> SigningKey:
        self.turn += 1
        return self.all()[self.turn % 2]


def test_a_rotation_in_the_middle_of_making_a_token_does_no_harm(
    flask: Flask, app: APIFlask
) -> None:
    flask("keys", "rotate")
    look_again(app)
    ring = Restless(parts_of(app).keys.all())
    app.extensions["latchkey"] = replace(parts_of(app), keys=ring)
    for _ in range(3):
        tokens = newcomer(app)
        assert app.test_client().get(ME, headers=bearer(tokens.access)).status_code == 200
