"""What these tests share: people who are signed in by bearer, and what their tokens say."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import requests
from apiflask import APIFlask

from tests.doors_kit import JsonDoor
from tests.redis_kit import change_session
from tests.support import PASSWORD, LiveSite, parts_of, run_command
from webapp import clock

API = "/api/v1/auth"


@dataclass(frozen=True)
class Tokens:
    """What a client that keeps its tokens itself has of a sign-in."""

    access: str
    refresh: str

    @property
    def session_id(self) -> str:
        return str(claims_of(self.refresh)["sid"])

    @property
    def generation(self) -> int:
        return int(claims_of(self.refresh)["gen"])

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Tokens":
        return cls(body["access_token"], body["refresh_token"])


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, believing it."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def create_user(site: LiveSite, email: str, *options: str) -> None:
    """Make an account whose address counts as proved, as an operator beside the site does."""
    run_command(
        *("user", "create", "--email", email, "--password", PASSWORD, "--verified", *options),
        environment=site.environment,
    )


def sign_in(app: APIFlask, email: str) -> Tokens:
    """Sign somebody in by bearer."""
    body = {"email": email, "password": PASSWORD, "transport": "bearer"}
    response = app.test_client().post(f"{API}/login", json=body)
    assert response.status_code == 200, response.text
    return Tokens.of(response.get_json())


def new_address() -> str:
    """Return an address that nobody has used yet, for databases that tests share."""
    return f"{secrets.token_hex(6)}@example.com"


def newcomer(app: APIFlask, email: str | None = None) -> Tokens:
    """Make an account and sign it in."""
    email = email or new_address()
    JsonDoor(app).make_account(email)
    return sign_in(app, email)


def is_file(app: APIFlask) -> bool:
    """Whether the application keeps all its data in SQLite."""
    settings = parts_of(app).settings
    return settings.database_url.startswith("sqlite") and settings.session_store == "sql"


def sign_in_at(site: LiveSite, email: str) -> Tokens:
    """Sign somebody in by bearer at a site in processes of its own."""
    body = {"email": email, "password": PASSWORD, "transport": "bearer"}
    response = requests.post(site.url + f"{API}/login", json=body, timeout=30)
    assert response.status_code == 200, response.text
    return Tokens.of(response.json())


def end_grace_window(app: APIFlask, session_id: str) -> None:
    """Make the last rotation a minute older, so that the next presentation rotates again.

    A family rotates at most once in 30 seconds; a test of hundreds of rotations cannot wait.
    """
    change_session(app, session_id, rotated_at=clock.now() - timedelta(minutes=1))


def wait_until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something is so; a test says by `seconds` how long it may take at most."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, f"not so after {seconds} seconds"
        time.sleep(0.02)
