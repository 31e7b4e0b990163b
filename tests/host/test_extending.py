"""docs/extending.md, run as it stands there: each block of Python, and what it is said to do."""

import mailbox
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt
import jwt
import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from config import ROOT
from tests.conftest import Closing
from tests.doors.probes import ALICE, BOB, bearer, create_user, execute, query, sign_in_by_bearer
from tests.host.conftest import MakeHost
from tests.host.kit import PAGE, JsonDoorAtHost, latchkey_of, make_host
from tests.support import PASSWORD, SECRET, csrf_token_in, signing_key
from webapp.features.ops import flow as ops

TEXT = (ROOT / "docs" / "extending.md").read_text()
SECTIONS = {
    heading.partition(":")[0]: block
    for heading, block in re.findall(
        r"^###? ([^\n]+)\n(?:(?!^##).)*?```python\n(.*?)```", TEXT, re.M | re.S
    )
}
FORMER = "the secret of the sign-in before this one"


def run(heading: str) -> dict[str, Any]:
    """Run the code below a heading and return what it defined."""
    namespace: dict[str, Any] = {"__name__": "extending"}
    exec(compile(SECTIONS[heading], f"docs/extending.md, {heading}", "exec"), namespace)
    return namespace


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """The environment of an application that reads its settings."""
    for name, value in (
        ("DATABASE_URL", database_url),
        ("SECRET_KEY", SECRET),
        ("JWT_PRIVATE_KEY", signing_key()),
        ("BCRYPT_COST", "4"),
        ("RATE_LIMITS", "off"),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture
def app_below(environment: None, closing: Closing) -> Callable[[str], Flask]:
    """A function that makes the application below a heading."""

    def make(heading: str) -> Flask:
        app: Flask = run(heading)["app"]
        closing(latchkey_of(app).app)
        return app

    return make


@pytest.fixture
def host_with(in_front: MakeHost) -> Callable[..., Flask]:
    """A function that makes a host with the part below a heading; keywords are its config."""

    def make(heading: str, **config: object) -> Flask:
        host = make_host()
        host.config.update(config)
        return in_front(host, parts=run(heading)["parts"])

    return make


def alice_at(host: Flask) -> JsonDoorAtHost:
    """Return Alice's browser, signed in."""
    create_user(latchkey_of(host).app)
    door = JsonDoorAtHost(host)
    assert door.sign_in(ALICE).is_fine
    return door


def test_every_block_of_python_is_run_here() -> None:
    source = Path(__file__).read_text()
    assert len(SECTIONS) == len(re.findall("^```python$", TEXT, re.M)) == 10
    for heading in SECTIONS:
        assert f'("{heading}"' in source, heading


def test_in_front_of_an_application(app_below: Callable[[str], Flask]) -> None:
    app = app_below("In front of a Flask application")
    door = alice_at(app)
    assert door.client.get("/id/login").status_code == 303
    assert _get(app, door, "/members").text == f"Hello, {ALICE}"
    asked = app.test_client().get("/members", headers=PAGE)
    assert asked.headers["Location"] == "/id/login?next=/members"


def test_guards_for_views(app_below: Callable[[str], Flask]) -> None:
    app = app_below("Guards for your views")
    door = alice_at(app)
    stranger = app.test_client()
    assert 'href="/id/login?next=/"' in stranger.get("/").text
    page = _get(app, door, "/").text
    assert f"Sign out {ALICE}" in page
    headers = {"X-XSRF-TOKEN": csrf_token_in(page)}
    assert _get(app, door, "/orders", method="POST", headers=headers).get_json()["ordered_by"]
    assert _get(app, door, "/orders", method="POST").status_code == 403
    assert _get(app, door, "/office").status_code == 403
    assert _get(app, door, "/newsletter").text == "News"
    execute(latchkey_of(app).app, "INSERT INTO user_roles SELECT id, 'admin' FROM users")
    door.sign_in(ALICE)
    headers = {"X-XSRF-TOKEN": door.cookie("XSRF-TOKEN") or ""}
    assert _get(app, door, "/office").text == "The office"
    assert _get(app, door, "/office/close", method="POST", headers=headers).text == "Closed"


def test_blueprints_with_configurations_of_their_own(app_below: Callable[[str], Flask]) -> None:
    app = app_below("Blueprints with configurations of their own")
    door = alice_at(app)
    ours = bearer(sign_in_by_bearer(JsonDoorAtHost(app).client)["access_token"])
    now = int(time.time())
    claims = {"sub": "robot", "iat": now, "exp": now + 60}
    secret = app.config["PARTNER_SECRET"]
    theirs = bearer(jwt.encode(claims, secret, algorithm="HS256"))
    for path, expected in (
        ("/shop/basket", [200, 401, 401]),
        ("/shop/api/basket", [401, 200, 401]),
        ("/partners/stock", [401, 401, 200]),
        ("/shop/window", [200, 200, 200]),
    ):
        client = app.test_client()
        replies = [
            _get(app, door, path),
            client.get(path, headers=ours),
            client.get(path, headers=theirs),
        ]
        assert [reply.status_code for reply in replies] == expected, path


def test_users(host_with: Callable[..., Flask]) -> None:
    stored = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    members = {ALICE: {"name": "Alice", "password_hash": stored}}
    host = host_with("Who has an account", MEMBERS=members)
    door, app = JsonDoorAtHost(host), latchkey_of(host).app
    assert query(app, "SELECT count(*) FROM users") == [(0,)]
    assert door.sign_in(ALICE, "a wrong password").code == "invalid_credentials"
    assert door.sign_in(ALICE).is_fine
    assert door.client.get("/host/guarded").text == f"GET {ALICE} "
    assert query(app, "SELECT email, name FROM users") == [(ALICE, "Alice")]
    create_user(app, BOB)
    assert JsonDoorAtHost(host).sign_in(BOB).code == "invalid_credentials"
    del members[ALICE]
    assert door.client.get("/host/guarded").get_json()["code"] == "token_revoked"
    assert door.refresh().code == "token_revoked"


def test_passwords(host_with: Callable[..., Flask]) -> None:
    host = host_with("How passwords are verified")
    app = latchkey_of(host).app
    create_user(app)
    former = generate_password_hash(PASSWORD, "pbkdf2:sha256:1000")
    execute(app, "UPDATE users SET password_hash = :former", former=former)
    door = JsonDoorAtHost(host)
    assert door.sign_in(ALICE, "a wrong password").code == "invalid_credentials"
    assert door.sign_in(ALICE).is_fine
    (kept,) = query(app, "SELECT password_hash FROM users")[0]
    assert kept.startswith("$bcrypt-sha256$")
    assert door.sign_in(ALICE).is_fine


def test_token_issuer(host_with: Callable[..., Flask]) -> None:
    door = alice_at(host_with("What tokens say"))
    for _ in ("signed in", "refreshed"):
        token = door.cookie("access_token") or ""
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["tenant"], claims["roles"]) == ("example.com", ["user"])
        assert door.refresh().is_fine
    assert door.client.get("/host/guarded").status_code == 200


def test_token_verifier(host_with: Callable[..., Flask]) -> None:
    host = host_with("Which tokens are taken", FORMER_JWT_SECRET=FORMER)
    door, client = alice_at(host), host.test_client()
    (user_id,) = query(latchkey_of(host).app, "SELECT id FROM users")[0]
    now = int(time.time())

    def former(secret: str = FORMER, **changes: int) -> dict[str, str]:
        claims = {"sub": user_id, "iat": now, "exp": now + 60} | changes
        return bearer(jwt.encode(claims, secret, algorithm="HS256"))

    assert door.client.get("/host/guarded").text == f"GET {ALICE} "
    assert client.get("/host/guarded", headers=former()).text == f"GET {ALICE} "
    assert client.get("/id/api/v1/auth/me", headers=former()).get_json()["email"] == ALICE
    for headers, code in (
        (former("another secret, of thirty-two bytes"), "token_invalid"),
        (former(exp=now - 1), "token_expired"),
    ):
        assert client.get("/host/guarded", headers=headers).get_json()["code"] == code


def test_token_sources(host_with: Callable[..., Flask]) -> None:
    host = host_with("Where tokens are read from")
    door, client = alice_at(host), host.test_client()
    token = sign_in_by_bearer(JsonDoorAtHost(host).client)["access_token"]
    offered = {"Sec-WebSocket-Protocol": f"bearer, {token}"}
    assert client.get("/host/guarded").status_code == 401
    assert client.get("/host/guarded", headers=offered).status_code == 200
    assert client.post("/host/guarded", headers=offered).status_code == 200
    assert client.get("/id/api/v1/auth/me", headers=offered).get_json()["email"] == ALICE
    assert client.get(f"/host/guarded?access_token={token}").status_code == 401
    assert door.client.get("/host/guarded").status_code == 200


def test_mail_transport(host_with: Callable[..., Flask], tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    host = host_with("How mail goes out", MAIL_FOLDER=str(folder))
    parts = latchkey_of(host).parts
    JsonDoorAtHost(host).make_account()
    with latchkey_of(host).app.app_context():
        ops.deliver_mail()
    parts.mailer.stop()
    found = list(mailbox.Maildir(folder))
    assert [mail["To"] for mail in found] == [ALICE]
    assert "/id/verify-email?token=" in str(found[0])


def test_sessions(host_with: Callable[..., Flask]) -> None:
    host = host_with("Where sessions are kept")
    oldest = alice_at(host)
    for _ in range(2):
        assert JsonDoorAtHost(host).sign_in(ALICE).is_fine
    assert oldest.refresh().is_fine
    for _ in range(3):
        assert JsonDoorAtHost(host).sign_in(ALICE).is_fine
    assert oldest.refresh().code == "token_revoked"
    found = query(latchkey_of(host).app, "SELECT count(*) FROM sessions WHERE ended_at IS NULL")
    assert found == [(3,)]


def _get(app: Flask, door: JsonDoorAtHost, path: str, **kwargs: Any) -> Any:
    """Ask the host with a door's cookies, below no prefix."""
    client = app.test_client()
    for name in ("access_token", "XSRF-TOKEN"):
        client.set_cookie(name, door.cookie(name) or "")
    return client.open(path, **kwargs)
