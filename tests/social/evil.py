"""An OpenID provider that does whatever a test asks of it, and as many of it as are needed.

Each lives below a path of its own, with keys and a memory of its own, since a site remembers what
it has once fetched. There is no page to consent on: a test goes straight to the callback.
"""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.social.kit import Browser, query_of

SECRET = "evil-client-secret-0123456789"
ACCESS_TOKEN = "evil-access-token-0123456789"
CODE = "evil-code-0123456789"

Behaviour = Callable[["Handler"], None]


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return one of a few keys."""
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Evil:
    """One provider."""

    name: str
    issuer: str
    client_id: str = "latchkey"
    # What its id token says; None leaves a claim out.
    changes: dict[str, Any] = field(default_factory=dict)
    # What its discovery document says in place of the truth.
    metadata: dict[str, Any] = field(default_factory=dict)
    # The key that it signs with, and those that it publishes.
    kid: str = "0"
    published: list[str] = field(default_factory=lambda: ["0"])
    make_token: Callable[[dict[str, Any]], str] | None = None
    # What it does at an address, in place of what it should.
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    nonce: str = ""

    def reset(self) -> None:
        """Be good again."""
        self.changes, self.behaviours, self.make_token = {}, {}, None

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return what an id token is to say."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "eve",
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "email": "eve@example.org",
            "email_verified": True,
            "name": "Eve",
        } | self.changes
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def id_token(self, **changes: Any) -> str:
        """Return an id token."""
        claims = self.claims(**changes)
        if self.make_token:
            return self.make_token(claims)
        return jwt.encode(claims, rsa_key(int(self.kid)), "RS256", headers={"kid": self.kid})

    def start(self, browser: Browser, target: str = "", intent: str = "") -> str:
        """Have a browser press its button; return the state."""
        asked = query_of(browser.start(self.name, target, intent))
        self.nonce = asked["nonce"]
        return asked["state"]

    def come_back(self, browser: Browser, state: str = "", **extra: str) -> Any:
        """Have a browser come back; where no state is given, from a new attempt."""
        query = {"state": state or self.start(browser), "code": CODE} | extra
        return browser.get(f"/auth/{self.name}/callback", params=query)

    def answer(self, path: str) -> object:
        """Return what it answers at an address when it is good."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.metadata
        if path == "/keys":
            return {"keys": [self._jwk(kid) for kid in self.published]}
        if path == "/token":
            return {
                "access_token": ACCESS_TOKEN,
                "token_type": "Bearer",
                "expires_in": 300,
                "id_token": self.id_token(),
            }
        return None

    def _jwk(self, kid: str) -> dict[str, Any]:
        public = rsa_key(int(kid)).public_key()
        found: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
        return found | {"kid": kid, "use": "sig", "alg": "RS256"}


class Handler(BaseHTTPRequestHandler):
    """Hands a request to the provider whose it is."""

    protocol_version = "HTTP/1.1"
    personas: dict[str, Evil]

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/")
        path = "/" + rest.partition("?")[0]
        evil = self.personas[name]
        evil.asked.append(path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behaviour = evil.behaviours.get(path)
        if behaviour:
            behaviour(self)
        elif path == "/token" and not self._knows_client(evil):
            self.say(401, {"error": "invalid_client"})
        else:
            answer = evil.answer(path)
            self.say(404 if answer is None else 200, answer)

    do_POST = do_GET  # noqa: N815 - as http.server wants it

    def say(self, status: int, body: object, **headers: str) -> None:
        """Answer; JSON, unless it is text already."""
        content = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(content.encode()))} | headers
        for header, value in sent.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def _knows_client(self, evil: Evil) -> bool:
        scheme, _, sent = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return False
        client_id, _, secret = b64decode(sent).decode().partition(":")
        return (unquote(client_id), unquote(secret)) == (evil.client_id, SECRET)


def says(status: int, body: object, **headers: str) -> Behaviour:
    """Return a way to behave: to answer this and nothing else."""
    return lambda handler: handler.say(status, body, **headers)


def hangs(handler: Handler) -> None:
    """Say nothing, and keep the line open."""
    _wait_for_hang_up(handler)


def drips(handler: Handler) -> None:
    """Send an endless body a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    _send_for_ever(handler, b" ", 0.5)


def drips_headers(handler: Handler) -> None:
    """Send endless headers a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    _send_for_ever(handler, b"x", 0.5)


def floods(handler: Handler) -> None:
    """Send a body without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    _send_for_ever(handler, b"[" * 65536, 0)


def hangs_up(handler: Handler) -> None:
    """Close the line without a word."""
    handler.close_connection = True


def _send_for_ever(handler: Handler, what: bytes, pause: float) -> None:
    handler.close_connection = True
    try:
        for _ in range(100_000):
            handler.wfile.write(what)
            handler.wfile.flush()
            time.sleep(pause)
    except OSError:
        return


def _wait_for_hang_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.settimeout(60)
    try:
        handler.connection.recv(1)
    except OSError:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Those who hang up on us are expected to."""


@contextmanager
def evil_providers(*names: str) -> Iterator[dict[str, Evil]]:
    """Run providers by these names in a thread; each is good until it is told otherwise."""
    personas: dict[str, Evil] = {}
    server = _Server(("127.0.0.1", 0), type("Bound", (Handler,), {"personas": personas}))
    base = f"http://127.0.0.1:{server.server_port}"
    personas |= {name: Evil(name, f"{base}/{name}") for name in names}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield personas
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_of(personas: dict[str, Evil]) -> dict[str, str]:
    """Return the environment that makes a site know them."""
    found = {}
    for evil in personas.values():
        prefix = f"OIDC_{evil.name.upper()}"
        found[f"{prefix}_ISSUER"] = evil.issuer
        found[f"{prefix}_CLIENT_ID"] = evil.client_id
        found[f"{prefix}_CLIENT_SECRET"] = SECRET
        found[f"{prefix}_LABEL"] = evil.name.capitalize()
    return found
