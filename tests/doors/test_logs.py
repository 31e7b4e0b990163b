"""What the log says: enough to find an error, nothing secret, and no line that input forged."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask import Blueprint

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, cookies_set, execute, sign_in_by_bearer
from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.support import PASSWORD
from webapp import clock
from webapp.doors.logs import RequestLine

FORGED = "2026-01-01 00:00:00,000 INFO [-] webapp: audit signed_in user=admin"
PRODUCTION: dict[str, Any] = {
    "app_env": "production", "base_url": "https://id.example.org", "bcrypt_cost": 10,
}  # fmt: skip
broken = Blueprint("broken", __name__)


@broken.get("/broken/<path:rest>")
@broken.get("/api/v1/broken/<path:rest>")
def fail(rest: str) -> str:
    """Fail as no page should."""
    raise RuntimeError(f"something broke {rest[:0]}")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that Latchkey logs, down to DEBUG, as it looks on standard error."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RequestLine())
    logger = logging.getLogger("webapp")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.mark.parametrize("path", ["/broken/x", "/api/v1/broken/x"])
def test_an_unexpected_error_can_be_found_by_its_number(
    app: APIFlask, log: io.StringIO, path: str
) -> None:
    app.register_blueprint(broken)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    response = app.test_client().get(path)
    number = response.headers["X-Request-Id"]
    assert response.status_code == 500
    assert number in response.text
    assert "something broke" not in response.text
    assert "Traceback" not in response.text
    (line,) = [line for line in log.getvalue().splitlines() if "unexpected error" in line]
    assert f"unexpected error {number}" in line
    assert "RuntimeError: something broke" in log.getvalue()


def test_in_json_it_is_problem_details_and_else_a_page(app: APIFlask) -> None:
    app.register_blueprint(broken)
    client = app.test_client()
    problem = client.get("/api/v1/broken/x")
    assert problem.mimetype == "application/problem+json"
    assert problem.get_json()["code"] == "internal_error"
    assert problem.get_json()["request_id"] == problem.headers["X-Request-Id"]
    page = client.get("/broken/x")
    assert page.mimetype == "text/html"
    for response in (problem, page):
        assert response.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("separator", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028"])
def test_a_line_break_in_an_address_forges_no_line(
    app: APIFlask, log: io.StringIO, separator: str
) -> None:
    app.register_blueprint(broken)
    app.test_client().get(f"/broken/{separator}{FORGED}")
    lines = log.getvalue().splitlines()
    assert any(FORGED in line for line in lines)
    assert not any(line.startswith(FORGED) for line in lines)
    assert all(
        line.startswith("    | ") for line in lines if FORGED in line and "error" not in line
    )


def test_a_line_break_in_a_field_forges_no_line(app: APIFlask, log: io.StringIO) -> None:
    door = JsonDoor(app)
    evil = f"x\r\n{FORGED}"
    door.client.environ_base["HTTP_USER_AGENT"] = "x\x0b" + FORGED
    door.sign_up(f"{evil}@example.com", evil, evil)
    door.sign_up(ALICE, name=evil)
    door.sign_up(ALICE, evil)
    door.sign_in(ALICE, evil)
    door.verify(evil)
    door.post("refresh", {"refresh_token": evil})
    assert log.getvalue()
    assert not any(line.startswith(FORGED) for line in log.getvalue().splitlines())


def secrets_of(door: Door) -> set[str]:
    """Walk through everything and return what must stand in no log line."""
    found = {PASSWORD, "a wrong password"}
    door.sign_up(ALICE)
    found.add(door.mailed_token(ALICE))
    door.resend(ALICE)
    token = door.mailed_token(ALICE)
    found.add(token)
    door.sign_in(ALICE)
    door.another_browser().sign_in(ALICE, "a wrong password")
    answers = [door.verify(token)]
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        answers += [door.refresh(), door.sign_out(), door.sign_in(ALICE)]
        door.who_am_i()
    for answer in answers:
        found |= {cookie.value for cookie in cookies_set(answer.response).values()}
    bearer_reply = sign_in_by_bearer(door.app.test_client())
    found |= {bearer_reply["access_token"], bearer_reply["refresh_token"]}
    return {secret for secret in found if len(secret) > 10}


def test_no_secret_stands_in_the_log_of_a_whole_journey(
    app: APIFlask, log: io.StringIO, door: Door
) -> None:
    # The one thing that differs in development is the line with the link of each mail.
    secrets = secrets_of(door)
    assert len(secrets) > 8
    text = "\n".join(line for line in log.getvalue().splitlines() if "mail to" not in line)
    assert "audit signed_in" in text
    assert not [secret for secret in secrets if secret in text]
    assert "token=" not in text


def test_no_link_stands_in_the_log_in_production(make_app: MakeApp, log: io.StringIO) -> None:
    app = make_app(**PRODUCTION)
    JsonDoor(app).sign_up(ALICE)
    assert "audit signed_up" in log.getvalue()
    assert "token=" not in log.getvalue()
    assert ALICE not in log.getvalue()


def test_links_stand_in_the_log_in_development(app: APIFlask, log: io.StringIO) -> None:
    door = PagesDoor(app)
    door.sign_up(ALICE)
    assert f"/verify-email?token={door.mailed_token(ALICE)}" in log.getvalue()
    assert PASSWORD not in log.getvalue()


def test_no_secret_stands_in_the_report_of_an_unexpected_error(
    make_app: MakeApp, sqlite_url: str, log: io.StringIO
) -> None:
    app = make_app(database_url=sqlite_url, **PRODUCTION)
    execute(
        app,
        "CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'broken'); END",
    )
    body = {"email": ALICE, "password": PASSWORD}
    response = app.test_client().post("/api/v1/auth/signup", json=body)
    assert response.status_code == 500
    assert "unexpected error" in log.getvalue()
    assert "token=" not in log.getvalue()
    assert "$bcrypt" not in log.getvalue()
    assert ALICE not in log.getvalue()
