"""The example services, started for real, and a relay that counts what they ask Latchkey."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from config import ROOT
from tests.processes.kit import bearer
from tests.support import environment_of, free_port

EXAMPLES = ROOT / "examples" / "resource_server"


class Relay:
    """Passes GET requests on to a site and counts them by path; can be told to fail."""

    def __init__(self, site_url: str) -> None:
        self.asked: Counter[str] = Counter()
        self.is_down = False
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                relay.asked[path] += 1
                if relay.is_down:
                    self.send_error(502)
                    return
                headers = {"Authorization": self.headers.get("Authorization", "")}
                reply = requests.get(site_url + self.path, headers=headers, timeout=30)
                self.send_response(reply.status_code)
                self.send_header("Content-Type", reply.headers["Content-Type"])
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def keys_read(self) -> int:
        return self.asked["/.well-known/jwks.json"]


@contextmanager
def relay_to(site_url: str) -> Iterator[Relay]:
    """Run a relay for the length of a test."""
    relay = Relay(site_url)
    thread = threading.Thread(target=relay.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.server.shutdown()
        relay.server.server_close()
        thread.join(10)


class Service:
    """One of the examples, running."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, token: str | None, path: str = "/hello") -> requests.Response:
        headers = bearer(token) if token is not None else {}
        return requests.get(self.url + path, headers=headers, timeout=30)

    def status(self, token: str | None) -> int:
        return self.ask(token).status_code


@contextmanager
def service(kind: str, folder: Path, log: Path, **variables: str) -> Iterator[Service]:
    """Run an example until it answers something else than "not known yet".

    :param kind: `flask` or `express`; the latter in a folder with its packages installed.
    """
    port = str(free_port())
    if kind == "flask":
        command = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", port]
    else:
        command = ["node", "app.js"]
    environment = environment_of(PORT=port, **variables)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    running = Service(f"http://127.0.0.1:{port}")
    try:
        _wait_until_up(running, process, log)
        yield running
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_up(running: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            if running.status(None) == 401:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the service did not start:\n" + log.read_text())
