"""Two nodes of the site on one PostgreSQL and one Redis, and a real nginx in front of them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import requests
from redis import Redis
from redis.exceptions import RedisError

from config import ROOT
from tests.database_kit import server_database
from tests.processes.kit import wait_until
from tests.support import LiveSite, environment_of, free_port, is_up, skip

EXAMPLE = ROOT / "examples" / "cluster" / "nginx.conf"
NODE_PORTS, PROXY_PORT = ("127.0.0.1:5001", "127.0.0.1:5002"), "127.0.0.1:8080"

SESSION_STORES = ["sql", "redis"]


class Node:
    """One gunicorn with two workers, which can be stopped and started again where it was."""

    def __init__(self, folder: Path, number: int, **variables: str) -> None:
        """Start it."""
        self.port = free_port()
        self._log = folder / f"node-{number}.log"
        self._environment = environment_of(
            PORT=str(self.port),
            WEB_CONCURRENCY="2",
            # A node that is killed cannot clear up.
            PROMETHEUS_MULTIPROC_DIR=str(folder / f"metrics-{number}"),
            **variables,
        )
        self.start()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it; it takes connections before it answers."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.site = LiveSite(self.url, process, self._log, self._environment)

    def wait_until_ready(self) -> None:
        """Wait until it answers, as whoever restarts nodes one after the other does."""
        wait_until(self.is_ready, 90)

    def is_ready(self) -> bool:
        assert self.site.process.poll() is None, self._log.read_text()
        try:
            return requests.get(self.url + "/readyz", timeout=60).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        """Have it finish what it is doing and end, as systemd and docker do."""
        self.site.process.send_signal(signal.SIGTERM)
        self.site.process.wait(40)

    def kill(self) -> None:
        """End all its processes in the middle of what they do.

        They are frozen for a moment first, so that requests are under way for certain.
        """
        os.killpg(self.site.process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.killpg(self.site.process.pid, signal.SIGKILL)
        self.site.process.wait(10)


@dataclass
class Cluster:
    """The address that clients know, and what stands behind it."""

    url: str
    nodes: tuple[Node, Node]
    database_url: str

    @property
    def front(self) -> LiveSite:
        """The site as clients reach it."""
        return replace(self.nodes[0].site, url=self.url)


@contextmanager
def cluster(folder: Path, **variables: str) -> Iterator[Cluster]:
    """Start it all; `variables` are settings of both nodes."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        skip("nginx is not installed")
    port = free_port()
    url = f"http://localhost:{port}"
    with ExitStack() as stack:
        redis_url = stack.enter_context(redis_server(folder))
        database = stack.enter_context(server_database("postgresql"))
        shared = {
            "DATABASE_URL": database.url,
            "REDIS_URL": redis_url,
            "BASE_URL": url,
            "TRUSTED_PROXIES": "1",
        }
        nodes = (
            Node(folder, 1, **(shared | variables)),
            Node(folder, 2, **(shared | variables)),
        )
        for node in nodes:
            stack.callback(node.site.stop)
        try:
            for node in nodes:
                node.wait_until_ready()
            stack.enter_context(_nginx(str(nginx), folder / "nginx", port, nodes))
            yield Cluster(url, nodes, database.url)
        finally:
            for node in nodes:
                node.site.stop()


@contextmanager
def _nginx(program: str, prefix: Path, port: int, nodes: tuple[Node, Node]) -> Iterator[None]:
    """Run the example's own configuration, on ports that are free here."""
    prefix.mkdir()
    text = EXAMPLE.read_text()
    for written, used in zip(
        (*NODE_PORTS, PROXY_PORT), (*(node.port for node in nodes), port), strict=True
    ):
        assert text.count(written) == 1
        text = text.replace(written, f"127.0.0.1:{used}")
    (prefix / "nginx.conf").write_text(text)
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    with (prefix / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", str(prefix), "-c", "nginx.conf", *user],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: is_up(port) or process.poll() is not None)
        assert process.poll() is None, (prefix / "nginx.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis that only this test run knows; yields its address."""
    if shutil.which("redis-server") is None:
        skip("redis-server is not installed")
    port = free_port()
    process = subprocess.Popen(
        [
            *("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""),
            *("--dir", str(folder)),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        with Redis(port=port) as client:
            return bool(client.ping())
    except RedisError:
        return False
