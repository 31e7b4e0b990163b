"""A Redis of the tests' own, and what is kept of sessions, in whichever store it is."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import delete, select, update

from tests.support import free_port, redis_of, skip
from webapp.extensions import db
from webapp.models import SessionRow
from webapp.stores.redis_hashes import SESSION, decode, encode, key_of
from webapp.stores.sessions import Session

# One test after the other with the sessions in SQL and in Redis: for whole modules.
on_each_session_store = pytest.mark.parametrize("session_store", ["sql", "redis"], indirect=True)

_COLUMNS = tuple(getattr(SessionRow, field) for field in Session.__dataclass_fields__)


@dataclass
class Server:
    """A redis-server that only this test run knows."""

    port: int
    folder: Path
    options: tuple[str, ...]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @cached_property
    def client(self) -> Redis:
        return Redis(port=self.port, decode_responses=True)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it; a process that was stopped is woken up for that."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            if how is signal.SIGKILL:
                self.process.wait(10)

    def start(self) -> None:
        """Start it again, with what it had written to its file."""
        self.process = _launch(self.port, self.folder, self.options)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[Server]:
    """Start a redis-server on a free port; `options` as on its command line."""
    if shutil.which("redis-server") is None:
        skip("redis-server is not installed on this machine")
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(port, folder, options, _launch(port, folder, options))
    try:
        yield server
    finally:
        server.client.close()
        server.stop()


def _launch(port: int, folder: Path, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [
            *("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""),
            *("--dir", str(folder), "--logfile", f"redis-{port}.log", *options),
        ],
        stdout=subprocess.DEVNULL,
    )
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        try:
            with Redis(port=port) as client:
                client.ping()
                return process
        except RedisError:
            time.sleep(0.02)
    process.kill()
    raise AssertionError("redis-server did not start")


def stored_sessions(app: APIFlask) -> list[Session]:
    """Return all sessions as they are kept, oldest first."""
    with app.app_context():
        if (store := redis_of(app)) is None:
            rows = db.session.execute(select(*_COLUMNS).order_by(SessionRow.id)).all()
            db.session.rollback()
            return [Session(*row) for row in rows]
        hashes = [store.server.ask(_reading(key)) for key in store.server.walk(SESSION + "*")]
    return sorted(filter(None, map(decode, hashes)), key=lambda session: session.id)


def stored_session(app: APIFlask, session_id: str) -> Session:
    """Return one session as it is kept."""
    with app.app_context():
        if (store := redis_of(app)) is None:
            query = select(*_COLUMNS).where(SessionRow.id == session_id)
            row = db.session.execute(query).one()
            db.session.rollback()
            return Session(*row)
        session = decode(store.server.ask(_reading(key_of(session_id))))
    assert session
    return session


def change_session(app: APIFlask, session_id: str, **values: Any) -> None:
    """Change a session behind the application's back."""
    with app.app_context():
        if (store := redis_of(app)) is None:
            row = update(SessionRow).where(SessionRow.id == session_id)
            db.session.execute(row.values(values))
            db.session.commit()
            return
        fields = encode(replace(stored_session(app, session_id), **values))
        store.server.ask(lambda client: client.hset(key_of(session_id), mapping=fields))


def delete_sessions(app: APIFlask) -> None:
    """Lose all sessions."""
    with app.app_context():
        if (store := redis_of(app)) is None:
            db.session.execute(delete(SessionRow))
            db.session.commit()
            return
        store.server.ask(lambda client: client.flushall())


def _reading(key: str) -> Any:
    return lambda client: client.hgetall(key)
