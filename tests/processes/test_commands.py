"""The commands, typed at a shell: what they do, what they say, and how they end."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from apiflask import APIFlask
from click.testing import Result

from config import ROOT
from tests.conftest import MakeApp
from tests.doors_kit import JsonDoor
from tests.processes.kit import newcomer, wait_until
from tests.redis_kit import stored_session
from tests.support import PASSWORD, environment_of, free_port, parts_of, run_flask
from webapp import clock
from webapp.services.ids import new_id
from webapp.stores.sessions import Session
from webapp.stores.transactions import transact

Flask = Callable[..., Result]

ALICE = ("user", "create", "--email", "alice@example.com", "--password", PASSWORD)


@pytest.fixture
def flask(app: APIFlask) -> Flask:
    """Run a command as `flask` does, without the second that starting a process takes."""
    return lambda *arguments: app.test_cli_runner().invoke(args=arguments)


def refused(done: Result) -> str:
    """Return the one sentence of a command that refused."""
    assert done.exit_code == 1, done.stdout
    assert isinstance(done.exception, SystemExit), done.exception
    [sentence] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    return sentence.removeprefix("Error: ")


def test_a_command_runs_in_a_process_of_its_own(database_url: str) -> None:
    environment = environment_of(DATABASE_URL=database_url)
    done = run_flask(*ALICE, environment=environment)
    assert done.stdout.startswith("Created alice@example.com")
    again = run_flask(*ALICE, environment=environment, check=False)
    assert again.returncode == 1
    assert "Error: This address has an account already." in again.stderr
    assert "Traceback" not in again.stderr


def test_an_account_is_made_and_can_sign_in_once_it_is_verified(
    flask: Flask, app: APIFlask
) -> None:
    done = flask(*ALICE)
    assert done.exit_code == 0
    assert re.match(r"Created alice@example\.com \([0-9a-f-]{36}\)\.\n", done.stdout)
    assert "A link to confirm the address is in the outbox." in done.stdout
    assert PASSWORD not in done.stdout + done.stderr

    door = JsonDoor(app)
    assert door.sign_in("alice@example.com").status == 403
    assert door.verify(door.mailed_token("alice@example.com")).is_fine
    assert door.sign_in("alice@example.com").is_fine


def test_a_verified_account_can_sign_in_at_once(flask: Flask, app: APIFlask) -> None:
    done = flask(*ALICE, "--verified")
    assert "outbox" not in done.stdout
    door = JsonDoor(app)
    assert door.sign_in("alice@example.com").is_fine
    assert not door.mails("alice@example.com")


def test_an_account_is_given_a_role(flask: Flask, app: APIFlask) -> None:
    flask(*ALICE, "--verified", "--role", "admin")
    door = JsonDoor(app)
    door.sign_in("alice@example.com")
    assert door.client.get("/api/v1/auth/me").get_json()["roles"] == ["user", "admin"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*ALICE, "--role", "boss"), "There is no role “boss”. There are: admin, user."),
        ((*ALICE[:5], "short77"), "Use at least 8 characters."),
        ((*ALICE[:5], "password1"), "among the first that attackers try"),
        ((*ALICE[:5], "alice@example.com"), "does not contain your email address"),
        ((*ALICE[:3], "alice@", *ALICE[4:]), "Enter a whole email address"),
        (("user", "disable", "bob@example.com"), "There is no account with that address."),
        (("user", "enable", "bob@example.com"), "There is no account with that address."),
        (("user", "disable", "bob"), "Enter a whole email address"),
        (("mail", "deliver"), "SMTP_URL is not set"),
    ],
)
def test_a_refusal_says_why(flask: Flask, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(flask(*arguments))
    assert flask("user", "list").stdout == ""


def test_a_taken_address_is_refused(flask: Flask) -> None:
    flask(*ALICE)
    assert "has an account already" in refused(flask(*ALICE[:3], "ALICE@example.com", *ALICE[4:]))


def test_accounts_are_listed_oldest_first(flask: Flask) -> None:
    flask(*ALICE, "--verified", "--role", "admin")
    flask(*ALICE[:3], "bob@example.com", *ALICE[4:])
    flask("user", "disable", "bob@example.com")
    lines = [line.split("  ")[1:] for line in flask("user", "list").stdout.splitlines()]
    assert lines == [
        ["alice@example.com", "user,admin", "verified", "open"],
        ["bob@example.com", "user", "not verified", "disabled"],
    ]


def test_disabling_signs_out_and_enabling_lets_in_again(flask: Flask, app: APIFlask) -> None:
    door = JsonDoor(app)
    door.make_account()
    door.sign_in("alice@example.com")

    done = flask("user", "disable", "Alice@Example.com")
    assert done.stdout.startswith("Disabled alice@example.com")
    wait_until(lambda: door.who_am_i() is None)
    assert door.refresh().code == "token_revoked"
    assert door.sign_in("alice@example.com").code == "invalid_credentials"

    assert flask("user", "enable", "alice@example.com").stdout == "Enabled alice@example.com.\n"
    assert door.refresh().status == 401
    assert door.sign_in("alice@example.com").is_fine


@pytest.mark.parametrize(
    "command",
    [("user", "list"), ("user", "disable", "a@example.com"), ("sessions", "prune")],
    ids=" ".join,
)
def test_a_database_that_is_down_is_told_in_a_sentence(
    make_app: MakeApp, command: tuple[str, ...]
) -> None:
    app = make_app(database_url=f"postgresql://postgres@127.0.0.1:{free_port()}/latchkey")
    sentence = refused(app.test_cli_runner().invoke(args=command))
    assert sentence.startswith("The database does not answer")


def test_a_database_without_tables_is_told_in_a_sentence(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(database_url=f"sqlite:///{tmp_path}/empty.db")
    assert "flask db upgrade" in refused(app.test_cli_runner().invoke(args=("user", "list")))


# The password is asked for.


def answer_at_a_terminal(database_url: str, *answers: str) -> tuple[int, str]:
    """Make an account at a terminal, typing these; return the exit code and all that it showed."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", *ALICE[:4], "--verified"],
        cwd=ROOT,
        env=environment_of(DATABASE_URL=database_url),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    left = list(answers)
    try:
        while True:
            try:
                shown += os.read(ours, 1000).decode()
            except OSError:  # It has ended, and its side of the terminal is closed.
                break
            if shown.endswith(": ") and left:
                os.write(ours, left.pop(0).encode() + b"\n")
        return process.wait(30), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_password_is_asked_for_twice_and_not_shown(database_url: str, app: APIFlask) -> None:
    code, shown = answer_at_a_terminal(database_url, PASSWORD, PASSWORD)
    assert code == 0, shown
    assert "Password: " in shown
    assert "Repeat for confirmation: " in shown
    assert PASSWORD not in shown
    assert JsonDoor(app).sign_in("alice@example.com").is_fine


def test_a_slip_of_the_hand_is_asked_for_again(database_url: str, app: APIFlask) -> None:
    slip = (PASSWORD, PASSWORD + "x", PASSWORD, PASSWORD)
    code, shown = answer_at_a_terminal(database_url, *slip)
    assert code == 0, shown
    assert "do not match" in shown
    assert JsonDoor(app).sign_in("alice@example.com").is_fine


# Pruning.


def put_old_sessions(app: APIFlask, count: int) -> None:
    """Put sessions in, half of them expired, half of them ended, all of them nine days ago."""
    ago = clock.now() - timedelta(days=9)
    ahead = clock.now() + timedelta(days=30)

    def work() -> None:
        for number in range(count):
            is_ended = bool(number % 2)
            session = Session(
                id=new_id(),
                user_id=new_id(),
                created_at=ago,
                last_used_at=ago,
                authenticated_at=ago,
                amr="pwd",
                expires_at=ahead if is_ended else ago,
                is_persistent=True,
                ip="",
                user_agent="",
                ended_at=ago if is_ended else None,
                changed_at=ago if is_ended else None,
            )
            parts_of(app).sessions.add(session)

    with app.app_context():
        transact(work)


def test_two_prunings_at_once_delete_each_old_session_once(
    app: APIFlask, database_url: str
) -> None:
    put_old_sessions(app, 1500)
    prunings = [
        subprocess.Popen(
            [sys.executable, "-m", "flask", "sessions", "prune"],
            cwd=ROOT,
            env=environment_of(DATABASE_URL=database_url),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [pruning.communicate(timeout=60)[0] for pruning in prunings]
    assert all(re.fullmatch(r"\d+ sessions deleted\.\n", words) for words in said)
    assert sum(int(words.split()[0]) for words in said) == 1500


def test_pruning_leaves_what_is_needed(app: APIFlask, flask: Flask) -> None:
    """A session that goes on, and one that has just ended: its access tokens are still about."""
    living = newcomer(app)
    ended = newcomer(app)
    headers = {"Authorization": f"Bearer {ended.refresh}"}
    assert app.test_client().post("/api/v1/auth/logout", headers=headers).status_code == 204
    put_old_sessions(app, 10)
    assert flask("sessions", "prune").stdout == "10 sessions deleted.\n"
    assert stored_session(app, living.session_id).ended_at is None
    assert stored_session(app, ended.session_id).ended_at is not None
    assert flask("sessions", "prune").stdout == "0 sessions deleted.\n"
