"""What the tests are made of: applications, doors to knock at, and servers that really run."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from apiflask import APIFlask
from click.testing import Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from sqlalchemy import create_engine, exc, text

from config import ROOT, Settings
from config_providers import read_providers
from webapp.extensions import db
from webapp.factory import create_app
from webapp.services.parts import Parts
from webapp.stores.redis_sessions import RedisSessions

PASSWORD = "correct horse 17"
SECRET = secrets.token_urlsafe(48)

SERVERS = {
    "postgresql": "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
    "mariadb": "mariadb+pymysql://root@127.0.0.1:3306/mysql",
}


def skip(reason: str) -> None:
    """Skip what this machine cannot offer, or fail where nothing may be skipped (CI=true)."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def trouble_with(kind: str) -> str:
    """Return why databases of a kind cannot be made on this machine; empty when they can."""
    if kind == "sqlite":
        return ""
    engine = create_engine(SERVERS[kind], connect_args={"connect_timeout": 5})
    try:
        with engine.connect():
            return ""
    except exc.OperationalError:
        where = engine.url
        return f"no {kind} at {where.host}:{where.port} that lets {where.username} in"
    finally:
        engine.dispose()


def skip_without(kind: str) -> None:
    """Skip a test where databases of a kind cannot be made."""
    if reason := trouble_with(kind):
        skip(reason)


def private_key() -> str:
    """Return a new signing key in PEM."""
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@cache
def signing_key() -> str:
    """Return the signing key of this test run."""
    return private_key()


def make_settings(database_url: str, **overrides: Any) -> Settings:
    """Return settings for a test: the cheapest hash, and no limits unless asked for."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "secret_key": SECRET,
        "jwt_private_key": signing_key(),
        "bcrypt_cost": 4,
        "rate_limits": False,
    }
    return Settings(_env_file=None, **(values | overrides)).completed()


def parts_of(app: APIFlask) -> Parts:
    """Return the parts of an application."""
    parts: Parts = app.extensions["latchkey"]
    return parts


def redis_of(app: APIFlask) -> RedisSessions | None:
    """Return the store of an application that keeps its sessions in Redis."""
    sessions = parts_of(app).sessions
    return sessions if isinstance(sessions, RedisSessions) else None


def close_app(app: APIFlask) -> None:
    """End what an application that is done with does by itself, and close its connections.

    Its thread would else deliver the mail of the next test that has the same database.
    """
    parts_of(app).mailer.stop()
    with app.app_context():
        db.engine.dispose()
    if store := redis_of(app):
        store.server.close()


def migrate(database_url: str) -> None:
    """Bring a database to the newest schema, with the command that an operator types."""
    run_command("db", "upgrade", environment=environment_of(DATABASE_URL=database_url))


def run_command(*arguments: str, environment: Mapping[str, str], check: bool = True) -> Result:
    """Run `flask …` as :func:`run_flask` does, but in this process, which has started already."""
    names = Settings.model_fields
    given: dict[str, Any] = {k.lower(): v for k, v in environment.items() if k.lower() in names}
    settings = Settings(_env_file=None, **given).with_providers(read_providers(environment))
    app = create_app(settings.completed())
    try:
        done = app.test_cli_runner().invoke(args=arguments)
    finally:
        close_app(app)
    assert not check or done.exit_code == 0, done.output
    return done


def run_flask(
    *arguments: str, environment: Mapping[str, str], stdin: str = "", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `flask …` as a person at a shell does: one to two seconds in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env=dict(environment),
        input=stdin,
        capture_output=True,
        text=True,
        check=check,
        timeout=60,
    )


def environment_of(**variables: str) -> dict[str, str]:
    """Return an environment for a process of its own, with nothing of the caller's settings."""
    names = {name.upper() for name in Settings.model_fields}
    inherited = {k: v for k, v in os.environ.items() if k not in names}
    defaults = {
        "FLASK_APP": "wsgi.py",
        "SECRET_KEY": SECRET,
        "JWT_PRIVATE_KEY": signing_key(),
        "BCRYPT_COST": "4",
        "RATE_LIMITS": "off",
    }
    return inherited | defaults | variables


@contextmanager
def database_on(server: str) -> Iterator[str]:
    """Create a database for a test, and drop it afterwards; yields its address."""
    name = f"latchkey_test_{secrets.token_hex(6)}"
    engine = create_engine(SERVERS[server], isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        url = SERVERS[server].rpartition("/")[0] + f"/{name}"
        try:
            yield url
        finally:
            force = " WITH (FORCE)" if server == "postgresql" else ""
            with engine.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name}{force}"))
    finally:
        engine.dispose()


@contextmanager
def migrated_database(kind: str, template: Path, folder: Path) -> Iterator[str]:
    """Yield the address of an empty, migrated database: `sqlite`, or one of SERVERS.

    :param template: a migrated SQLite file, which is quicker to copy than to make.
    """
    if kind == "sqlite":
        path = folder / "latchkey.db"
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    skip_without(kind)
    with database_on(kind) as url:
        migrate(url)
        yield url


def is_up(port: int) -> bool:
    """Whether something listens on this machine's port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class LiveSite:
    """A gunicorn of its own with the application in it."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str] = field(repr=False)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and all its workers."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
            # Longer than gunicorn.conf.py lets a request under way take.
            self.process.wait(40)


@contextmanager
def live_site(
    database_url: str, folder: Path, workers: int = 1, serves: str = "", **variables: str
) -> Iterator[LiveSite]:
    """Run the site, or its copy in `ROOT`, in processes of its own; `variables` are settings.

    :param serves: the application, where it is another than Latchkey alone: one in front of which
        Latchkey stands, below /id.
    """
    port = int(variables.pop("PORT", 0)) or free_port()
    environment = environment_of(
        DATABASE_URL=database_url, PORT=str(port), WEB_CONCURRENCY=str(workers), **variables
    )
    log = folder / f"site-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *([serves] if serves else [])],
            cwd=environment.pop("ROOT", ROOT),
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    site = LiveSite(f"http://localhost:{port}", process, log, environment)
    try:
        _wait_until_up(site, "/id/healthz" if serves else "/healthz")
        yield site
    finally:
        site.stop()


def _wait_until_up(site: LiveSite, path: str) -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at and site.process.poll() is None:
        try:
            # It listens before its workers are ready, so that an answer can take a while.
            if requests.get(site.url + path, timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the site did not start:\n" + site.log.read_text())


def find_link(text_: str, path: str = "/verify-email") -> str:
    """Return the first link to a page in a mail or in the development mailbox."""
    match = re.search(rf"https?://[^\s\"<]+{path}\?token=[\w-]+", text_)
    assert match, f"no link to {path} in: {text_[:2000]}"
    return match[0]


def token_in(link: str) -> str:
    """Return the token of a link."""
    return link.partition("token=")[2]


def csrf_token_in(html: str) -> str:
    """Return the CSRF token of a page's first form."""
    match = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    assert match, "no CSRF token in the page"
    return match[1]
