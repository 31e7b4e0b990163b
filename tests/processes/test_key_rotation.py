"""Keys rotated and retired while people use the site: nobody is refused, on any worker."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest
import requests

from tests.processes.kit import API, Tokens, bearer, create_user, sign_in_at, wait_until
from tests.support import PASSWORD, LiveSite, live_site, run_flask

pytestmark = [pytest.mark.xdist_group("rotation"), pytest.mark.faults]

EMAIL = "alice@example.com"


class Load:
    """Clients that ask without a pause; whatever is not 200 is a failure."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.is_over = threading.Event()
        self.refused: list[str] = []
        self.answered: Counter[str] = Counter()
        # By client: the key of the refresh token that it holds now.
        self.held: dict[str, str] = {}
        self.signed_by: set[str] = set()

    def ask(self, http: requests.Session, method: str, path: str, **how: object) -> Tokens | None:
        reply = http.request(method, self.site.url + API + path, timeout=30, **how)  # type: ignore[arg-type]
        self.answered[path] += 1
        if reply.status_code != 200:
            self.refused.append(f"{path}: {reply.status_code} {reply.text[:200]}")
        body = reply.json()
        return Tokens.of(body) if "access_token" in body else None

    def note(self, name: str, tokens: Tokens) -> None:
        self.held[name] = kid_of(tokens.refresh)
        self.signed_by |= {kid_of(tokens.access), kid_of(tokens.refresh)}

    def refresh(self, name: str) -> None:
        """Be somebody who is signed in, looks at something and refreshes, over and over."""
        tokens = sign_in_at(self.site, EMAIL)
        with requests.Session() as http:
            while not self.is_over.is_set():
                self.note(name, tokens)
                self.ask(http, "GET", "/me", headers=bearer(tokens.access))
                again = self.ask(http, "POST", "/refresh", headers=bearer(tokens.refresh))
                tokens = again or tokens

    def sign_in(self, name: str) -> None:
        """Be people who sign in, and look at something on a connection of their own."""
        body = {"email": EMAIL, "password": PASSWORD, "transport": "bearer"}
        while not self.is_over.is_set():
            with requests.Session() as http:
                tokens = self.ask(http, "POST", "/login", json=body)
                if tokens:
                    self.note(name, tokens)
                    self.ask(http, "GET", "/me", headers=bearer(tokens.access))

    @contextmanager
    def running(self) -> Iterator[None]:
        jobs: list[Callable[[str], None]] = [self.refresh, self.refresh, self.refresh, self.sign_in]
        threads = [
            threading.Thread(target=job, args=(f"client {number}",))
            for number, job in enumerate(jobs)
        ]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(self.held) == len(jobs))
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join(30)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def published(site: LiveSite) -> set[str]:
    keys = requests.get(site.url + "/.well-known/jwks.json", timeout=30).json()["keys"]
    return {key["kid"] for key in keys}


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_nobody_is_refused_while_keys_rotate_under_load(
    database_url: str, tmp_path: Path, algorithm: str
) -> None:
    keys_dir = str(tmp_path / "keys")
    variables = {"JWT_ALGORITHM": algorithm, "JWT_PRIVATE_KEY": "", "KEYS_DIR": keys_dir}
    with live_site(database_url, tmp_path, 2, **variables) as site:
        create_user(site, EMAIL)
        load = Load(site)
        [first] = published(site)
        with load.running():
            rotated = [rotate(site, load), rotate(site, load)]
            # No client holds anything that it signed any more, so that nobody needs it.
            run_flask("keys", "retire", first, "--now", environment=site.environment)
            retired_at = time.monotonic()
            wait_until(lambda: published(site) == set(rotated), 10)
            time.sleep(max(0, retired_at + 4 - time.monotonic()))
            assert set(load.held.values()) == {rotated[-1]}
        assert load.refused == []
        assert load.signed_by == {first, *rotated}
        assert min(load.answered[path] for path in ("/me", "/refresh", "/login")) > 20


def rotate(site: LiveSite, load: Load) -> str:
    """Rotate, and see that within ten seconds all clients get tokens of the new key."""
    said = run_flask("keys", "rotate", environment=site.environment).stdout
    kid = said.split()[0]
    wait_until(lambda: set(load.held.values()) == {kid}, 10)
    # Not before it could be published on every worker; the command itself may take long to end.
    files = Path(site.environment["KEYS_DIR"]).glob("*.pem")
    assert time.time() - max(file.stat().st_mtime for file in files) > 2
    return kid
