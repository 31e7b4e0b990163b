"""How many SQL statements a request takes, and whether it begins a transaction for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from apiflask import APIFlask
from flask import Blueprint, Response, jsonify
from flask.testing import FlaskClient

from tests.database_kit import before_statements, on_every_database
from tests.doors.probes import ALICE, bearer, create_user, sign_in_by_bearer
from tests.doors_kit import JsonDoor, PagesDoor
from tests.support import PASSWORD
from webapp import clock
from webapp.doors.guards import signed_in
from webapp.extensions import db

pytestmark = on_every_database

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT")

guarded = Blueprint("guarded", __name__)


@guarded.get("/api/v1/guarded")
@signed_in
def guarded_json() -> Response:
    """Say something to whoever is signed in."""
    return jsonify(status="fine")


@guarded.get("/guarded")
@signed_in
def guarded_page() -> Response:
    """Say something to whoever is signed in."""
    return Response("fine")


@pytest.fixture
def app(app: APIFlask) -> APIFlask:
    """The application with two routes that need nothing but an access token."""
    app.register_blueprint(guarded)
    create_user(app)
    return app


@pytest.fixture
def door(app: APIFlask) -> JsonDoor:
    """Alice's browser, signed in, with a revocation snapshot that was just read."""
    door = JsonDoor(app)
    door.sign_in(ALICE)
    door.client.get("/api/v1/guarded")
    return door


@contextmanager
def statements(app: APIFlask) -> Iterator[list[str]]:
    """Collect the statements that reach the database; BEGIN and COMMIT are two of them."""
    found: list[str] = []

    def note(statement: str) -> None:
        found.append(" ".join(statement.split())[:200])

    with app.app_context():
        engine = db.engine
    with before_statements(engine, note):
        yield found


def within(found: list[str]) -> list[str]:
    """Return what was said between the BEGIN and the COMMIT of one transaction, and beside it."""
    marks = [statement for statement in found if statement.startswith(TRANSACTION)]
    assert [mark.split()[0] for mark in marks] == ["BEGIN", "COMMIT"], found
    return [statement for statement in found if statement not in marks]


def test_a_guard_takes_none(app: APIFlask, door: JsonDoor) -> None:
    with statements(app) as found:
        for path in ("/api/v1/guarded", "/guarded"):
            assert door.client.get(path).status_code == 200
    assert found == []


def test_a_guard_that_refuses_takes_none(app: APIFlask, door: JsonDoor) -> None:
    with statements(app) as found:
        client = app.test_client()
        assert client.get("/api/v1/guarded").status_code == 401
        assert client.get("/guarded").status_code == 303
        assert client.get("/api/v1/guarded", headers=bearer("x.y.z")).status_code == 401
    assert found == []


def test_the_snapshot_takes_one_a_second(app: APIFlask, door: JsonDoor) -> None:
    with statements(app) as found, time_machine.travel(clock.now() + timedelta(seconds=3)):
        for _ in range(20):
            assert door.client.get("/api/v1/guarded").status_code == 200
    assert len(found) <= 2, found


def test_pages_for_everybody_take_none(app: APIFlask) -> None:
    with statements(app) as found:
        for path in ("/", "/login", "/signup", "/verify-email", "/logout", "/healthz"):
            assert app.test_client().get(path).status_code == 200
    assert found == []


def test_me_takes_one(app: APIFlask, door: JsonDoor) -> None:
    with statements(app) as found:
        assert door.who_am_i() == ALICE
    assert len(found) == 1, found


def test_the_account_page_takes_one(app: APIFlask, door: JsonDoor) -> None:
    with statements(app) as found:
        assert door.client.get("/account").status_code == 200
    assert len(found) == 1, found


def test_a_refresh_that_rotates_takes_two(app: APIFlask, door: JsonDoor) -> None:
    with statements(app) as found:
        assert door.refresh().is_fine
    # Each by itself: no transaction is begun and committed around them.
    assert [statement.split()[0] for statement in found] == ["SELECT", "UPDATE"]


def test_a_refresh_that_repeats_takes_one(app: APIFlask, door: JsonDoor) -> None:
    door.refresh()
    with statements(app) as found:
        assert door.refresh().is_fine
    assert [statement.split()[0] for statement in found] == ["SELECT"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/auth/me",
        "/api/v1/auth/me/export",
        "/api/v1/auth/sessions",
        "/api/v1/people",
        "/account/devices",
        "/account/security",
        "/dev/mailbox",
        "/readyz",
    ],
)
def test_what_only_reads_begins_no_transaction(app: APIFlask, door: JsonDoor, path: str) -> None:
    with statements(app) as found:
        assert door.client.get(path).status_code == 200
    assert {statement.split()[0] for statement in found} == {"SELECT"}


def sign_in(client: FlaskClient, password: str = PASSWORD) -> int:
    body = {"email": ALICE, "password": password}
    return client.post("/api/v1/auth/login", json=body).status_code


def test_a_sign_in_takes_four(app: APIFlask) -> None:
    with statements(app) as found:
        assert sign_in(app.test_client()) == 200
    assert len(within(found)) <= 4, found


def test_a_sign_in_on_a_page_takes_four(app: APIFlask) -> None:
    door = PagesDoor(app)
    with statements(app) as found:
        assert door.sign_in(ALICE).is_fine
    assert len(within(found)) <= 4, found


def test_a_sign_in_that_is_told_of_by_mail_takes_six(app: APIFlask) -> None:
    assert sign_in(app.test_client()) == 200
    with statements(app) as found:
        assert sign_in(app.test_client()) == 200
    assert len(within(found)) <= 6, found
    assert any("outbox" in statement for statement in found)


def test_a_failed_sign_in_takes_two(app: APIFlask) -> None:
    with statements(app) as found:
        assert sign_in(app.test_client(), "a wrong password") == 401
    assert len(within(found)) <= 2, found


def test_signing_out_takes_two(app: APIFlask) -> None:
    client = app.test_client()
    token = sign_in_by_bearer(client)["access_token"]
    with statements(app) as found:
        assert client.post("/api/v1/auth/logout", headers=bearer(token)).status_code == 204
    assert len(within(found)) == 2, found
