"""The example services: they take our tokens, nobody else's, and none of sessions that ended."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from jwt.utils import base64url_encode

from tests.processes.kit import (
    API,
    Tokens,
    bearer,
    claims_of,
    create_user,
    new_address,
    sign_in_at,
    wait_until,
)
from tests.processes.relying_kit import EXAMPLES, Relay, Service, relay_to, service
from tests.support import LiveSite, live_site, private_key, run_flask, signing_key, skip
from webapp.services.secrets import new_secret

pytestmark = pytest.mark.xdist_group("relying")

ALICE, ROOT_USER = "alice@example.com", "root@example.com"
FEED_TOKEN = new_secret()
# About two seconds are promised; machines that run tests are busy.
SOON = 4.0


@pytest.fixture(scope="module")
def site(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """A site with two workers, whose feed the services may read."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(migrated_file, folder / "latchkey.db")
    url = f"sqlite:///{folder}/latchkey.db"
    with live_site(url, folder, 2, REVOCATIONS_TOKENS=FEED_TOKEN) as site:
        create_user(site, ALICE)
        create_user(site, ROOT_USER, "--role", "admin")
        yield site


@pytest.fixture(scope="module", params=["flask", "express"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each of the examples in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example can be started: with its packages, for the one in JavaScript."""
    if kind == "flask":
        return EXAMPLES / "flask_app"
    if not (shutil.which("node") and shutil.which("npm")):
        skip("node and npm are not installed")
    copied = tmp_path_factory.mktemp("express") / "app"
    shutil.copytree(EXAMPLES / "express_app", copied, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(
        command, cwd=copied, capture_output=True, text=True, check=False, timeout=180
    )
    if done.returncode != 0:
        skip(f"npm cannot install the example's packages: {done.stderr[-300:]}")
    return copied


@pytest.fixture(scope="module")
def relay(site: LiveSite, kind: str) -> Iterator[Relay]:
    """What the service takes for Latchkey."""
    with relay_to(site.url) as relay:
        yield relay


@pytest.fixture(scope="module")
def running(
    site: LiveSite, kind: str, folder: Path, relay: Relay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The example, following the feed."""
    log = tmp_path_factory.mktemp("log") / "service.log"
    with service(kind, folder, log, **variables(relay, site)) as running:
        wait_until(lambda: running.status(sign_in_at(site, ALICE).access) == 200)
        yield running


def variables(relay: Relay, site: LiveSite) -> dict[str, str]:
    return {
        "LATCHKEY_URL": relay.url,
        "LATCHKEY_ISSUER": site.url,
        "LATCHKEY_AUDIENCE": site.url,
        "LATCHKEY_FEED_TOKEN": FEED_TOKEN,
    }


def test_it_knows_who_asks(running: Service, site: LiveSite) -> None:
    tokens = sign_in_at(site, ALICE)
    reply = running.ask(tokens.access)
    assert reply.status_code == 200, reply.text
    expected = {"user": claims_of(tokens.access)["sub"], "email": ALICE, "roles": ["user"]}
    assert reply.json() == expected
    assert running.ask(tokens.access, "/admin").status_code == 403
    assert running.ask(sign_in_at(site, ROOT_USER).access, "/admin").status_code == 200


def test_without_a_token_nobody_is_let_in(running: Service) -> None:
    for token in (None, "", "x", "a.b.c"):
        reply = running.ask(token)
        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_whoever_signs_out_is_out_within_about_two_seconds(
    running: Service, site: LiveSite
) -> None:
    here, elsewhere = sign_in_at(site, ALICE), sign_in_at(site, ALICE)
    assert running.status(here.access) == 200
    reply = requests.post(site.url + f"{API}/logout", headers=bearer(here.access), timeout=30)
    assert reply.status_code == 204
    wait_until(lambda: running.status(here.access) == 401, SOON)
    assert running.status(elsewhere.access) == 200


@pytest.mark.faults
def test_a_disabled_account_is_out_everywhere(running: Service, site: LiveSite) -> None:
    bob = new_address()
    create_user(site, bob)
    tokens = [sign_in_at(site, bob) for _ in range(2)]
    assert {running.status(each.access) for each in tokens} == {200}
    run_flask("user", "disable", bob, environment=site.environment)
    wait_until(lambda: {running.status(each.access) for each in tokens} == {401}, SOON)


# Forged tokens.


def sign(claims: dict[str, Any], key: str = "", **headers: object) -> str:
    return jwt.encode(claims, key or signing_key(), "EdDSA", headers=headers)


def assemble(header: dict[str, object], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)] + [signature]
    return b".".join(base64url_encode(part) for part in parts).decode()


def test_the_forge_makes_tokens_that_are_taken(running: Service, site: LiveSite) -> None:
    tokens = sign_in_at(site, ALICE)
    claims = claims_of(tokens.access) | {"jti": "another"}
    assert running.status(sign(claims, kid=kid_of(tokens))) == 200


def kid_of(tokens: Tokens) -> str:
    return str(jwt.get_unverified_header(tokens.access)["kid"])


def test_forged_tokens_are_refused(running: Service, site: LiveSite) -> None:
    tokens = sign_in_at(site, ALICE)
    claims, kid = claims_of(tokens.access), kid_of(tokens)
    now = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"aud": "https://evil.example"},
        {"iss": "https://evil.example"},
        {"type": "refresh"},
        {"type": "verify_email"},
        {"exp": now - 60},
        {"iat": now + 600},
        {"iat": now - 86_400},
        {"nbf": now + 600},
        {"sid": 7},
    ]
    forged = [sign(claims | change, kid=kid) for change in wrong]
    for name in ("exp", "iat", "sub", "sid", "type", "aud", "iss"):
        forged.append(sign({k: v for k, v in claims.items() if k != name}, kid=kid))
    stranger = private_key()
    forged += [
        tokens.refresh,
        tokens.access[:-6],
        sign(claims, stranger, kid=kid),
        sign(claims, stranger, kid="../../etc/passwd"),
        sign(claims, stranger, kid=kid, jku="http://127.0.0.1:1/", jwk=public_jwk(stranger)),
        sign(claims, kid=kid, crit=["exp"]),
        sign(claims),  # No kid at all.
    ]
    for algorithm in ("none", "None", "nOnE", ""):
        for signature in (b"", b"\0" * 64):
            forged.append(assemble({"alg": algorithm, "kid": kid}, claims, signature))
    forged += signed_with_the_public_key(site, kid, claims)
    for token in forged:
        assert running.status(token) == 401, token
    assert running.status(tokens.access) == 200


def public_jwk(pem: str) -> dict[str, str]:
    key: Any = serialization.load_pem_private_key(pem.encode(), None).public_key()
    jwk: dict[str, str] = jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)
    return jwk


def signed_with_the_public_key(site: LiveSite, kid: str, claims: dict[str, Any]) -> list[str]:
    public = serialization.load_pem_private_key(signing_key().encode(), None).public_key()
    published = requests.get(site.url + "/.well-known/jwks.json", timeout=30)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.DER, spki),
        public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
        json.dumps(published.json()["keys"][0]).encode(),
    ]
    tokens = []
    for secret in secrets:
        unsigned = assemble({"alg": "HS256", "kid": kid}, claims).rstrip(".")
        hmac = jwt.algorithms.get_default_algorithms()["HS256"].sign(unsigned.encode(), secret)
        tokens.append(f"{unsigned}.{base64url_encode(hmac).decode()}")
    return tokens


def test_a_storm_of_unknown_keys_reads_the_keys_once_a_minute(
    running: Service, relay: Relay, site: LiveSite
) -> None:
    tokens = sign_in_at(site, ALICE)
    claims = claims_of(tokens.access)
    before = relay.keys_read
    for number in range(300):
        assert running.status(sign(claims, kid=f"unknown-{number}")) == 401
    assert relay.keys_read - before <= 1
    assert running.status(tokens.access) == 200


# A service of its own: what happens around it changes.


@pytest.mark.faults
def test_a_new_key_is_read_when_a_token_names_it(
    kind: str, folder: Path, database_url: str, tmp_path: Path
) -> None:
    keys = {"JWT_PRIVATE_KEY": "", "KEYS_DIR": str(tmp_path / "keys"), "JWT_ALGORITHM": "ES256"}
    with (
        live_site(database_url, tmp_path, 1, REVOCATIONS_TOKENS=FEED_TOKEN, **keys) as site,
        relay_to(site.url) as relay,
    ):
        create_user(site, ALICE)
        settings = variables(relay, site) | {"LATCHKEY_ALGORITHM": "ES256", "READ_KEYS_EVERY": "2"}
        with service(kind, folder, tmp_path / "service.log", **settings) as running:
            first = sign_in_at(site, ALICE)
            wait_until(lambda: running.status(first.access) == 200)
            assert relay.keys_read == 1
            run_flask("keys", "rotate", environment=site.environment)
            wait_until(lambda: kid_of(sign_in_at(site, ALICE)) != kid_of(first))
            assert running.status(sign_in_at(site, ALICE).access) == 200
            assert running.status(first.access) == 200
            assert relay.keys_read == 2


def test_without_the_feed_it_says_so_rather_than_guess(
    kind: str, folder: Path, site: LiveSite, tmp_path: Path
) -> None:
    with relay_to(site.url) as relay:
        settings = variables(relay, site) | {"FEED_MAX_AGE": "3"}
        with service(kind, folder, tmp_path / "service.log", **settings) as running:
            token = sign_in_at(site, ALICE).access
            wait_until(lambda: running.status(token) == 200)
            relay.is_down = True
            assert running.status(token) == 200, "a moment without an answer is no outage"
            wait_until(lambda: running.status(token) == 503, 8)
            assert running.ask(token).headers["Retry-After"] == "2"
            relay.is_down = False
            wait_until(lambda: running.status(token) == 200)


def test_with_a_wrong_feed_token_it_lets_nobody_in(
    kind: str, folder: Path, site: LiveSite, tmp_path: Path
) -> None:
    with relay_to(site.url) as relay:
        settings = variables(relay, site) | {"LATCHKEY_FEED_TOKEN": new_secret()}
        with service(kind, folder, tmp_path / "service.log", **settings) as running:
            token = sign_in_at(site, ALICE).access
            time.sleep(1.5)
            assert running.status(token) == 503
