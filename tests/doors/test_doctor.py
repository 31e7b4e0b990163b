"""The doctor finds what is unsafe or will not work, and is content with what is right."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from click.testing import Result

from tests.conftest import MakeApp
from tests.doors.probes import execute
from tests.support import free_port, private_key

PRODUCTION: dict[str, Any] = {
    "app_env": "production",
    "base_url": "https://id.example.org",
    "bcrypt_cost": 12,
    "rate_limits": True,
    "trusted_proxies": 1,
    "mail_from": "Latchkey <no-reply@example.org>",
}


def doctor(app: APIFlask) -> Result:
    return app.test_cli_runner().invoke(args=["doctor"])


def complaints(app: APIFlask) -> list[str]:
    """Return what is wrong; the command ends with 1 exactly when something is."""
    done = doctor(app)
    found = [line for line in done.output.splitlines() if line.startswith("WRONG")]
    assert done.exit_code == (1 if found else 0), done.output
    return found


@pytest.fixture
def smtp_port() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def production(smtp_port: int) -> dict[str, Any]:
    """Settings of a production that nothing is wrong with."""
    return PRODUCTION | {"smtp_url": f"smtp://127.0.0.1:{smtp_port}"}


def test_a_sound_production_passes(make_app: MakeApp, production: dict[str, Any]) -> None:
    assert complaints(make_app(**production)) == []


def test_development_on_this_machine_passes(make_app: MakeApp) -> None:
    assert complaints(make_app(rate_limits=True)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate_limits": False}, "RATE_LIMITS=off"),
        ({"trusted_proxies": 0}, "TRUSTED_PROXIES is 0"),
        ({"smtp_url": ""}, "SMTP_URL is not set"),
        ({"smtp_url": f"smtp://127.0.0.1:{free_port()}"}, "No mail server"),
        ({"mail_from": "no-reply@localhost"}, "MAIL_FROM"),
        ({"cors_origins": ("http://app.example.org",)}, "without TLS"),
        ({"cors_origins": ("https://app.example.com",)}, "another site"),
        ({"cookie_domain": "example.com"}, "COOKIE_DOMAIN"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_named(
    make_app: MakeApp, production: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    [found] = complaints(make_app(**(production | changes)))
    assert words in found


def test_development_for_strangers(make_app: MakeApp) -> None:
    found = complaints(make_app(rate_limits=True, base_url="http://id.example.org"))
    assert [words in line for words, line in zip(("APP_ENV", "https"), found, strict=True)]


def test_a_database_that_is_not_there_or_not_migrated(make_app: MakeApp, tmp_path: Path) -> None:
    [found] = complaints(make_app(rate_limits=True, database_url=f"sqlite:///{tmp_path}/none.db"))
    assert "flask db upgrade" in found
    app = make_app(rate_limits=True)
    execute(app, "UPDATE alembic_version SET version_num = '0001'")
    [found] = complaints(app)
    assert "not this version's" in found


def test_keys_that_everybody_can_read(make_app: MakeApp, tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    directory.mkdir(mode=0o700)
    file = directory / "one.pem"
    file.write_text(private_key())
    file.chmod(0o600)
    settings = {"rate_limits": True, "jwt_private_key": "", "keys_dir": str(directory)}
    assert complaints(make_app(**settings)) == []
    os.chmod(file, 0o644)
    [found] = complaints(make_app(**settings))
    assert str(file) in found


def test_secrets_are_not_told(make_app: MakeApp, production: dict[str, Any]) -> None:
    secret = production["smtp_url"].replace("//", "//user:hunter2hunter2@")
    assert "hunter2" not in doctor(make_app(**(production | {"smtp_url": secret}))).output
