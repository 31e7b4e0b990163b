"""Subjects that run: with a database of their own, and what they take of the machine."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.load import Operation
from benchmarks.subjects import PASSWORD, Subject

SERVER = "postgresql://postgres@127.0.0.1:5432"
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Yield the address of an empty database, and drop it afterwards."""
    if kind == "sqlite":
        # Beside the project, on a disk: what /tmp holds may be in memory, where fsync is free.
        with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
            yield f"sqlite:///{folder}/latchkey.db"
        return
    name = f"latchkey_benchmark_{secrets.token_hex(4)}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{SERVER}/{name}?sslmode=disable"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fill(subject: Subject, url: str, cost: int, people: int, **more: str) -> str:
    """Make a subject's tables and put people in; return what that printed."""
    variables = subject.variables(url, cost) | {
        "PEOPLE": str(people),
        "PASSWORD": PASSWORD,
        **more,
    }
    command = subject.fill_command()
    done = subprocess.run(
        command, cwd=subject.folder, env=variables, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{subject.title} could not be filled:\n{done.stderr.decode()[-3000:]}")
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
    return done.stdout.decode()


@dataclass
class Server:
    """A subject that listens."""

    subject: Subject
    url: str
    process: subprocess.Popen[bytes]
    started_in: float

    def family(self) -> list[int]:
        """Return the processes that it is made of, the first of which is no worker."""
        found = [self.process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            found += map(int, children.read_text().split()) if children.exists() else []
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time that all of it has taken so far."""
        spent = 0
        for pid in self.family():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent += int(fields[11]) + int(fields[12])
        return spent / TICKS

    def memory(self) -> float:
        """Return its proportional set size in MiB: shared pages are divided among their users."""
        total = 0
        for pid in self.family():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024


@contextmanager
def serve(
    subject: Subject, url: str, cost: int, workers: int = 2, grace: str = "0"
) -> Iterator[Server]:
    """Start a subject, wait until it answers, and stop it afterwards."""
    port = _free_port()
    command = [word.format(workers=workers, port=port) for word in subject.serve]
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [subject.environment / "bin" / command[0], *command[1:]],
            cwd=subject.folder,
            env=subject.variables(url, cost, grace) | {"PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            root = f"http://127.0.0.1:{port}"
            while not _answers(root + str(subject.declared["ready"])):
                if process.poll() is not None or time.monotonic() - started > 60:
                    log.seek(0)
                    raise RuntimeError(f"{subject.title} did not start:\n{log.read().decode()}")
                time.sleep(0.005)
            yield Server(subject, root, process, time.monotonic() - started)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def operation(subject: Subject, name: str) -> Operation | None:
    """Return an operation of a subject, or None where it does not have it."""
    declared = subject.declared["operations"].get(name)  # type: ignore[attr-defined]
    if declared is None:
        return None
    body = declared.get("body")
    return Operation(
        declared["method"],
        declared["path"],
        declared.get("headers", {}),
        body.replace("{password}", PASSWORD) if body else None,
    )


def ask(url: str, wanted: Operation, **values: str) -> str:
    """Send one request and return the body of its answer."""

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace("{" + name + "}", value)
        return text

    headers = {name: filled(value) for name, value in wanted.headers.items()}
    body = filled(wanted.body).encode() if wanted.body else None
    request = urllib.request.Request(url + wanted.path, body, headers, method=wanted.method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def refusals_allowed() -> Iterator[None]:
    """Go on where an answer is a refusal."""
    with suppress(urllib.error.HTTPError):
        yield


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Yield a connection to a database of PostgreSQL that commits each statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
