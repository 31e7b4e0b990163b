"""What is believed of an OpenID provider: its own name, its own keys, and tokens for us alone."""

import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from apiflask import APIFlask
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

from config import ProviderSettings
from tests.conftest import MakeApp
from tests.doors.probes import ALICE, SHELL, create_user
from tests.doors_kit import JsonDoor
from webapp import clock
from webapp.errors import (
    AttemptExpired,
    ProviderClockOff,
    ProviderMisconfigured,
    ProviderTokenInvalid,
)
from webapp.features.social import exchange, flow, providers
from webapp.features.social import provider as social
from webapp.features.social.identity import Identity
from webapp.services import tokens
from webapp.services.openid import Expected, OpenIDProviders
from webapp.services.sessions import SignedIn
from webapp.stores.transactions import transact

AUDIENCE, NONCE = "latchkey", "a nonce of ours"


@cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """Return one of two keys: the provider's, and somebody else's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """A provider that publishes one key, and a discovery document that a test may change."""

    issuer: str
    document: dict[str, Any]

    def expected(self) -> Expected:
        """Return what its tokens have to be like."""
        return Expected(
            is_issuer=lambda claims: claims["iss"] == self.issuer,
            audience=[AUDIENCE],
            algorithms=["RS256"],
            jwks_uri=self.document["jwks_uri"],
        )

    def as_set_up(self) -> social.Provider:
        """Return it as an operator has set it up."""
        given = ProviderSettings(AUDIENCE, issuer=self.issuer)
        return social.Provider("acme", providers.ANY_OIDC, given)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return what a good token says, with these changes; None leaves a claim out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "sub": "anna",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 300,
            "nonce": NONCE,
        }
        return {name: value for name, value in (good | changes).items() if value is not None}


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that runs."""
    made = Provider("", {})
    jwk = json.loads(RSAAlgorithm.to_jwk(rsa_key(0).public_key())) | {"kid": "0", "use": "sig"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {"keys": [jwk]} if self.path == "/keys" else made.document
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.issuer = f"http://127.0.0.1:{server.server_port}/common"
    made.document = {"issuer": made.issuer}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        made.document[name] = f"http://127.0.0.1:{server.server_port}/keys"
    yield made
    server.shutdown()
    server.server_close()


def sign(claims: dict[str, Any], key: Any = None, algorithm: str = "RS256") -> str:
    return jwt.encode(claims, key or rsa_key(0), algorithm, headers={"kid": "0"})


def read(provider: Provider, token: str) -> dict[str, Any]:
    return OpenIDProviders().read_id_token(token, provider.expected(), [NONCE])


def test_a_good_token_is_believed(provider: Provider) -> None:
    assert read(provider, sign(provider.claims()))["sub"] == "anna"


def test_a_signature_has_to_be_the_providers(provider: Provider) -> None:
    claims = provider.claims()
    head, body, signature = sign(claims).split(".")
    public = rsa_key(0).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # PyJWT itself does not lend itself to this one: the public key as a shared secret.
    hs256 = base64url_encode(b'{"alg": "HS256", "typ": "JWT", "kid": "0"}').decode()
    mac = hmac.digest(pem, f"{hs256}.{body}".encode(), "sha256")
    forged = f"{hs256}.{body}.{base64url_encode(mac).decode()}"
    unsigned = jwt.encode(claims, "", "none", headers={"kid": "0"})
    cut = (f"{head}.{body}.", f"{head}.{body}.AAAA", signature, "")
    others = (sign(claims, rsa_key(1)), sign(claims, algorithm="RS512"))
    for token in (forged, unsigned, *cut, *others):
        with pytest.raises(ProviderTokenInvalid):
            read(provider, token)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"aud": "another app"},
        {"aud": [AUDIENCE, "another app"]},
        {"aud": None},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"sub": None},
        {"exp": None},
        {"iat": None},
    ],
    ids=str,
)
def test_what_it_says_has_to_be_for_us(provider: Provider, changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderTokenInvalid):
        read(provider, sign(provider.claims(**changes)))


@pytest.mark.parametrize(
    "changes", [{"exp": 1_700_000_000}, {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}], ids=str
)
def test_it_has_to_be_its_time(provider: Provider, changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderClockOff):
        read(provider, sign(provider.claims(**changes)))


@pytest.mark.parametrize(
    "named",
    [
        "https://accounts.google.com",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "{issuer}/",
        "",
        None,
    ],
)
def test_a_provider_does_not_pass_for_another(provider: Provider, named: str | None) -> None:
    provider.document["issuer"] = named and named.replace("{issuer}", provider.issuer)
    with pytest.raises(ProviderMisconfigured):
        OpenIDProviders().discover(provider.issuer)


def test_a_provider_of_many_tenants_names_them_all(provider: Provider) -> None:
    named = provider.issuer.replace("/common", "/{tenantid}")
    provider.document["issuer"] = named
    assert OpenIDProviders().discover(provider.issuer).issuer == named


def test_a_reply_of_another_provider_is_refused(app: APIFlask, provider: Provider) -> None:
    reply = exchange.Reply("state", code="code", issuer="https://evil.example")
    with app.app_context(), pytest.raises(ProviderTokenInvalid):
        exchange.exchange(provider.as_set_up(), reply)


def test_one_subject_at_two_providers_is_two_people(app: APIFlask) -> None:
    with app.app_context():
        found = [
            flow.enter(Identity(name, "1234", f"{name}@example.com", True), SHELL)
            for name in ("google", "facebook", "google")
        ]
    ids = [each.account.id for each in found if isinstance(each, SignedIn)]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize("auth_time", [1_700_000_000, None, "yesterday"])
def test_it_tells_when_somebody_signed_in_there(
    app: APIFlask, provider: Provider, auth_time: Any
) -> None:
    ours = provider.as_set_up()
    token = sign(provider.claims(auth_time=auth_time))
    with app.app_context():
        found = exchange.read_id_token(ours, ours.registration(), token, [NONCE])
    assert found.authenticated_at == (auth_time if isinstance(auth_time, int) else None)


@pytest.mark.parametrize(("age", "is_taken"), [(5, True), (None, True), (11 * 60, False)])
def test_an_old_sign_in_there_confirms_nothing_here(
    make_app: MakeApp, age: int | None, is_taken: bool
) -> None:
    app = make_app(fake_providers=("google",))
    create_user(app)
    door = JsonDoor(app)
    door.sign_in(ALICE)
    signed_in_at = int(clock.now().timestamp()) - age if age else None
    identity = Identity("google", "anna", authenticated_at=signed_in_at)
    with app.app_context():
        claims = tokens.read_access(door.cookie("access_token") or "")
        transact(lambda: flow.link(identity, claims.user_id))
        if is_taken:
            assert flow.reauthenticate(identity, claims, SHELL).access_token
            return
        with pytest.raises(AttemptExpired):
            flow.reauthenticate(identity, claims, SHELL)
