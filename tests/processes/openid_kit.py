"""An OpenID provider that is not ours: npm's oidc-provider, certified, in a process of its own."""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

import pytest
import requests

from tests.support import free_port, skip

FOLDER = Path(__file__).parent / "openid"
PATIENCE = 20  # seconds

Mood = Literal["answer", "hang", "error", "garbage"]


@dataclass(frozen=True)
class OpenIdProvider:
    """A provider that runs, and the one client that it knows.

    It lives at 127.0.0.1, which to a browser is another site than localhost.
    """

    issuer: str
    client_id: str
    client_secret: str

    def discovery(self) -> dict[str, Any]:
        """Return its discovery document."""
        path = "/.well-known/openid-configuration"
        document: dict[str, Any] = requests.get(self.issuer + path, timeout=PATIENCE).json()
        return document

    def rotate_keys(self) -> None:
        """Have it sign with new keys from now on, and forget the old ones."""
        self._control(rotate=True)

    def treat(self, path: str, how: Mood) -> None:
        """Have it go wrong at one of its paths: `/token`, `/jwks`, `/me`, or the discovery's."""
        self._control(path=path, how=how)

    def sign_in(self, url: str, login: str, browser: requests.Session | None = None) -> str:
        """Sign somebody in and consent, as a person would; return where they are sent then.

        :param url: where the app sends the browser.
        :param login: an address, which counts as verified; `unverified:` in front of one says that
            it is not, and `none:` in front of anything that there is none. It is the subject, too.
        :param browser: one that has been here before, perhaps.
        """
        return self._answer(url, {"login": login, "password": "any"}, browser)

    def cancel(self, url: str, browser: requests.Session | None = None) -> str:
        """Press Cancel in place of signing in; return where one is sent then."""
        return self._answer(url, None, browser)

    def _answer(
        self, url: str, fields: dict[str, str] | None, browser: requests.Session | None
    ) -> str:
        browser = browser or requests.Session()
        response = browser.get(url, allow_redirects=False, timeout=PATIENCE)
        for _ in range(12):
            if response.is_redirect:
                target = urljoin(response.url, response.headers["Location"])
                if not target.startswith(self.issuer):
                    return target
                response = browser.get(target, allow_redirects=False, timeout=PATIENCE)
                continue
            assert response.status_code == 200, response.text
            if fields is None:
                target = _found(r'href="([^"]*/abort)"', response.text)
                response = browser.get(target, allow_redirects=False, timeout=PATIENCE)
                continue
            # Login and consent are told apart by this field.
            prompt = _found(r'name="prompt" value="(\w+)"', response.text)
            target = urljoin(response.url, _found(r'<form[^>]* action="([^"]*)"', response.text))
            sent = {"prompt": prompt} | (fields if prompt == "login" else {})
            response = browser.post(target, data=sent, allow_redirects=False, timeout=PATIENCE)
        raise AssertionError(f"no way out of {response.url}")

    def _control(self, **wish: Any) -> None:
        requests.post(f"{self.issuer}/control", json=wish, timeout=PATIENCE).raise_for_status()


@contextmanager
def openid_provider(
    redirect_uris: Sequence[str],
    *,
    log: Path,
    algorithm: Literal["RS256", "ES256", "EdDSA"] = "RS256",
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic",
    port: int | None = None,
) -> Iterator[OpenIdProvider]:
    """Run a provider with one confidential client, which has to use PKCE.

    :param log: a file for whatever it says.
    :param algorithm: what id tokens for the client are signed with; it has keys for all three.
    """
    _install()
    port = port or free_port()
    provider = OpenIdProvider(f"http://127.0.0.1:{port}", "latchkey", secrets.token_urlsafe(24))
    environment = os.environ | {
        "ISSUER": provider.issuer,
        "PORT": str(port),
        "CLIENT_ID": provider.client_id,
        "CLIENT_SECRET": provider.client_secret,
        "REDIRECT_URIS": json.dumps(list(redirect_uris)),
        "ID_TOKEN_ALG": algorithm,
        "AUTH_METHOD": auth_method,
    }
    with (
        log.open("wb") as output,
        # It ends when its standard input does, even where this process is killed.
        subprocess.Popen(
            ["node", "provider.js"],
            cwd=FOLDER,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait_until_up(provider, process, log)
            yield provider
        finally:
            process.terminate()


def _install() -> None:
    """Have npm install what package-lock.json names, once; other workers wait for it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip("there is no node and npm on this machine, which the other OpenID provider runs on")
    stamp = FOLDER / "node_modules" / ".installed-for"
    with (FOLDER / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256(lock.read()).hexdigest()
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            skip(f"npm cannot install the other OpenID provider: {done.stderr[-500:]}")
        stamp.write_text(wanted)


def _wait_until_up(provider: OpenIdProvider, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            provider.discovery()
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the OpenID provider did not start:\n" + log.read_text())


def _found(pattern: str, html: str) -> str:
    match = re.search(pattern, html)
    assert match, f"no {pattern} in: {html[:2000]}"
    return unescape(match[1])
