"""What these tests look at besides the replies: the tables, the cookies set, the hashes counted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from tests.support import PASSWORD
from webapp.extensions import db
from webapp.features.users import flow as users_flow
from webapp.services.client import Client

ALICE = "alice@example.com"
BOB = "bob@example.com"
SHELL = Client(ip="", user_agent="a test")


@dataclass(frozen=True)
class SetCookie:
    """One Set-Cookie header; attribute names in lower case, flags with an empty value."""

    name: str
    value: str
    attributes: Mapping[str, str]

    @property
    def is_removal(self) -> bool:
        """Whether the browser drops the cookie when it reads this."""
        expires = self.attributes.get("expires", "")
        return self.attributes.get("max-age") == "0" or "1970" in expires


def cookies_set(response: TestResponse) -> dict[str, SetCookie]:
    """Return what a reply does to the browser's cookies, by name."""
    found = {}
    for header in response.headers.getlist("Set-Cookie"):
        pair, *attributes = header.split("; ")
        name, _, value = pair.partition("=")
        split = (attribute.partition("=") for attribute in attributes)
        found[name] = SetCookie(name, value, {key.lower(): rest for key, _, rest in split})
    return found


def query(app: APIFlask, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Read the database beside the application."""
    with app.app_context(), db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def execute(app: APIFlask, statement: str, **values: Any) -> None:
    """Change the database behind the application's back."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement), values)


def dump(app: APIFlask) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with app.app_context():
        tables = inspect(db.engine).get_table_names()
    return {name: sorted(query(app, f"SELECT * FROM {name}"), key=repr) for name in tables}


def audited(app: APIFlask) -> list[str]:
    """Return the names of the security events, oldest first."""
    return [event for (event,) in query(app, "SELECT event FROM audit_events ORDER BY id")]


def mailed(app: APIFlask, recipient: str = ALICE) -> list[str]:
    """Return which mails somebody got, oldest first."""
    statement = "SELECT template FROM outbox WHERE recipient = :recipient ORDER BY id"
    return [name for (name,) in query(app, statement, recipient=recipient)]


def create_user(app: APIFlask, email: str = ALICE, password: str = PASSWORD) -> None:
    """Make an account whose address is proved, as `flask user create --verified` does."""
    with app.app_context():
        users_flow.create_user(users_flow.NewUser(email, password, is_verified=True), SHELL)


def disable_user(app: APIFlask, email: str = ALICE) -> None:
    """Shut an account, as `flask user disable` does."""
    with app.app_context():
        users_flow.disable_user(email, SHELL)


def sign_in_by_bearer(client: FlaskClient, email: str = ALICE) -> dict[str, Any]:
    """Sign in as a mobile client does and return the token reply."""
    body = {"email": email, "password": PASSWORD, "transport": "bearer"}
    response = client.post("/api/v1/auth/login", json=body)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.get_json()
    return reply


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token (RFC 6750)."""
    return {"Authorization": f"Bearer {token}"}


_RANDOM = (
    (r"[A-Za-z0-9_-]{22}\.[0-9a-f]{64}", "<csrf>"),
    (r"\b[A-Za-z0-9_-]{30,}\.[\w-]{4,10}\.[\w-]{20,}", "<signed>"),
    (r"'nonce-[\w-]+'", "<nonce>"),
    # Two replies may fall on two sides of a second.
    (r"Expires=\w{3}, [^;]+ GMT", "Expires=<moment>"),
    (r"(\"|=)[\w.+-]+@example\.com", r"\1<address>"),
)


def without_chance(response: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    """Return status, body and headers with what is random in every reply taken out."""
    headers = [
        (name, "" if name == "X-Request-Id" else _normal(value)) for name, value in response.headers
    ]
    return response.status_code, _normal(response.text), headers


def _normal(value: str) -> str:
    for pattern, name in _RANDOM:
        value = re.sub(pattern, name, value)
    return value


SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

FUZZ = settings(
    max_examples=40,
    deadline=None,
    # One database serves all examples of a test: what one leaves behind may trip the next.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def routes(app: APIFlask, under: str = "/") -> list[tuple[str, str]]:
    """Return (path, method) of every route, with something for whatever a path leaves open."""
    return [
        (re.sub(r"<(?:path:)?filename>", "latchkey.css", rule.rule).replace("<message_id>", "x"), m)
        for rule in app.url_map.iter_rules()
        for m in sorted(rule.methods or ())
        if rule.rule.startswith(under)
    ]
