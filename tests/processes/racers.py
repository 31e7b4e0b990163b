"""Processes that start at one shot: each holds an application of its own on the same database."""

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import BrokenBarrierError
from typing import Any, Protocol

from flask.testing import FlaskClient

from config import Settings
from tests.processes.kit import bearer
from webapp.factory import create_app

PATIENCE = 120


@dataclass(frozen=True)
class Call:
    """A POST that shows a token."""

    path: str
    token: str


@dataclass(frozen=True)
class Reply:
    """What the application answered."""

    status: int
    body: dict[str, Any]
    cookies: list[str]


class Barrier(Protocol):
    """The shot."""

    def wait(self, timeout: float | None = None) -> int: ...


class Racers:
    """Processes on their marks."""

    def __init__(self, lines: Sequence[Connection]) -> None:
        self._lines = lines

    def enter(self, settings: Settings) -> None:
        """Have each process make an application with these settings, for the calls that follow."""
        for line in self._lines:
            line.send(settings)
        assert [_receive(line).status for line in self._lines] == [200] * len(self._lines)

    def race(self, calls: Sequence[Call]) -> list[Reply]:
        """Have each process make one call, all at once, and return what each was answered."""
        assert len(calls) == len(self._lines)
        for line, call in zip(self._lines, calls, strict=True):
            line.send(call)
        return [_receive(line) for line in self._lines]


@contextmanager
def racers(count: int) -> Iterator[Racers]:
    """Start processes; they are spawned, so that they share nothing but the database."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    pairs = [context.Pipe() for _ in range(count)]
    processes = [
        context.Process(target=run, args=(theirs, barrier), daemon=True) for _, theirs in pairs
    ]
    ours = [line for line, _ in pairs]
    try:
        for process in processes:
            process.start()
        yield Racers(ours)
    finally:
        for process in processes:
            process.kill()
            process.join()
        for pair in pairs:
            for line in pair:
                line.close()


def run(line: Connection, barrier: Barrier) -> None:
    """Be one of the processes."""
    client: FlaskClient | None = None
    while True:
        asked: Call | Settings = line.recv()
        if isinstance(asked, Settings):
            client = create_app(asked).test_client()
            # So that all of them are connected and warm.
            line.send(Reply(client.get("/readyz").status_code, {}, []))
            continue
        assert client
        try:
            barrier.wait(PATIENCE)
        except BrokenBarrierError:
            return
        response = client.post(asked.path, headers=bearer(asked.token))
        body = response.get_json(silent=True) or {}
        line.send(Reply(response.status_code, body, response.headers.getlist("Set-Cookie")))


def _receive(line: Connection) -> Reply:
    assert line.poll(PATIENCE), "a process does not answer"
    reply: Reply = line.recv()
    return reply
