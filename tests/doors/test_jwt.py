"""Forged, foreign and stale tokens (RFC 8725): refused in one way, and never an error of ours."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from apiflask import APIFlask
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.utils import base64url_encode

from tests.doors.probes import bearer, create_user, sign_in_by_bearer
from tests.support import parts_of, private_key, signing_key
from webapp import clock

ME, REFRESH = "/api/v1/auth/me", "/api/v1/auth/refresh"
Claims = dict[str, Any]


class Forge:
    """Makes tokens like Alice's; what a test changes is all that is wrong with them."""

    def __init__(self, app: APIFlask) -> None:
        create_user(app)
        self.tokens = sign_in_by_bearer(app.test_client())
        self.kid = jwt.get_unverified_header(self.tokens["access_token"])["kid"]

    def claims(self, kind: str = "access") -> Claims:
        options: Any = {"verify_signature": False}
        return dict(jwt.decode(self.tokens[f"{kind}_token"], options=options))

    def sign(self, claims: Claims, headers: Claims | None = None, key: str = "") -> str:
        """Sign with our own key, or with a stranger's; by hand, as PyJWT minds what it signs."""
        header = {"alg": "EdDSA", "typ": "JWT", "kid": self.kid} | (headers or {})
        signer = serialization.load_pem_private_key((key or signing_key()).encode(), None)
        assert isinstance(signer, ed25519.Ed25519PrivateKey)
        unsigned = self.assemble(header, claims).rstrip(".")
        return f"{unsigned}.{base64url_encode(signer.sign(unsigned.encode())).decode()}"

    def assemble(self, header: object, claims: object, signature: bytes = b"") -> str:
        """Put a token together by hand, as no library would."""
        parts = [json.dumps(part).encode() for part in (header, claims)] + [signature]
        return b".".join(base64url_encode(part) for part in parts).decode()


@pytest.fixture
def forge(app: APIFlask) -> Forge:
    """A forge with a real session behind it."""
    return Forge(app)


def answers(app: APIFlask, token: str) -> set[tuple[int, str]]:
    """Show a token wherever one is taken and return how it is answered."""
    client = app.test_client(use_cookies=False)
    responses = [
        client.get(ME, headers=bearer(token)),
        client.patch(ME, json={"name": "Eve"}, headers=bearer(token)),
        client.post(REFRESH, headers=bearer(token)),
        client.post(REFRESH, json={"refresh_token": token}),
    ]
    responses.append(client.get(ME, headers={"Cookie": f"access_token={token}"}))
    for response in responses:
        assert response.mimetype == "application/problem+json"
        assert response.headers["WWW-Authenticate"] == (
            'Bearer realm="Latchkey", error="invalid_token"'
        )
        assert "Set-Cookie" not in response.headers
    assert client.post("/api/v1/auth/logout", headers=bearer(token)).status_code == 204
    return {(response.status_code, response.get_json()["code"]) for response in responses}


INVALID = {(401, "token_invalid")}


def test_the_forge_makes_tokens_that_are_taken(app: APIFlask, forge: Forge) -> None:
    client = app.test_client()
    token = forge.sign(forge.claims())
    assert client.get(ME, headers=bearer(token)).status_code == 200
    token = forge.sign(forge.claims("refresh"))
    assert client.post(REFRESH, headers=bearer(token)).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], {}])
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_no_algorithm_is_no_signature(
    app: APIFlask, forge: Forge, algorithm: object, kind: str
) -> None:
    header = {"alg": algorithm, "typ": "JWT", "kid": forge.kid}
    for signature in (b"", b"x", b"\0" * 64):
        assert answers(app, forge.assemble(header, forge.claims(kind), signature)) == INVALID


def test_an_empty_or_changed_signature_is_none(app: APIFlask, forge: Forge) -> None:
    header, payload, signature = forge.tokens["access_token"].split(".")
    body = f"{header}.{payload}"
    for token in (
        f"{body}.",
        body,
        f"{body}.{signature[:-4]}",
        f"{body}.{'A' * len(signature)}",
        f"{header}.{payload[:-2]}.{signature}",
        f"{body}.{signature}.{signature}",
    ):
        assert answers(app, token) == INVALID


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_secret(app: APIFlask, forge: Forge, algorithm: str) -> None:
    public = serialization.load_pem_private_key(signing_key().encode(), None).public_key()
    jwk = app.test_client().get("/.well-known/jwks.json").get_json()["keys"][0]
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.DER, spki),
        public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
        json.dumps(jwk).encode(),
        jwk["x"].encode(),
        b"",
    ]
    for secret in secrets:
        token = hmac_token(forge, algorithm, secret)
        assert answers(app, token) == INVALID


def hmac_token(forge: Forge, algorithm: str, secret: bytes) -> str:
    """Sign with a shared secret by hand, since PyJWT refuses a public key as one."""
    unsigned = forge.assemble({"alg": algorithm, "kid": forge.kid}, forge.claims()).rstrip(".")
    signature = jwt.algorithms.get_default_algorithms()[algorithm].sign(unsigned.encode(), secret)
    return f"{unsigned}.{base64url_encode(signature).decode()}"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "ES512", "Ed448", "A128KW"])
def test_another_algorithm_than_ours_is_refused(
    app: APIFlask, forge: Forge, algorithm: str
) -> None:
    _, payload, signature = forge.tokens["access_token"].split(".")
    changed = forge.assemble({"alg": algorithm, "kid": forge.kid}, {}).split(".")[0]
    assert answers(app, f"{changed}.{payload}.{signature}") == INVALID


def test_a_key_in_the_token_is_not_trusted(app: APIFlask, forge: Forge) -> None:
    key = private_key()
    public = serialization.load_pem_private_key(key.encode(), None).public_key()
    assert isinstance(public, ed25519.Ed25519PublicKey)
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
    stolen: list[Claims] = [
        {},
        {"jwk": jwk},
        {"jwk": jwk, "kid": "mine"},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "file:///etc/passwd"},
        {"x5c": ["AAAA"]},
    ]
    for headers in stolen:
        assert answers(app, forge.sign(forge.claims(), headers, key)) == INVALID


def test_what_we_do_not_understand_is_not_ignored(app: APIFlask, forge: Forge) -> None:
    unknown: list[Claims] = [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"crit": []}]
    for headers in unknown:
        assert answers(app, forge.sign(forge.claims(), headers)) == INVALID


@pytest.mark.parametrize(
    "kid",
    ["unknown", "", "../../../etc/passwd", "/dev/null", "' OR '1'='1", "x' UNION SELECT 'k' --",
     "\0", "é", "\ud800", "k" * 30_000, None, 1, [], {}, ["x"]],
    ids=range(15),
)  # fmt: skip
def test_a_kid_names_a_key_and_nothing_else(app: APIFlask, forge: Forge, kid: object) -> None:
    header = {"alg": "EdDSA", "typ": "JWT", "kid": kid}
    assert answers(app, forge.assemble(header, forge.claims(), b"\0" * 64)) == INVALID


def test_a_token_without_a_kid_is_refused(app: APIFlask, forge: Forge) -> None:
    token = jwt.encode(forge.claims(), signing_key(), "EdDSA")
    assert answers(app, token) == INVALID


def test_a_huge_or_bottomless_header_is_refused(app: APIFlask, forge: Forge) -> None:
    nested: list[Any] = []
    for _ in range(500):
        nested = [nested]
    for extra in ("x" * 40_000, nested):
        header = {"alg": "EdDSA", "kid": forge.kid, "extra": extra}
        assert answers(app, forge.assemble(header, forge.claims(), b"\0" * 64)) == INVALID
    bottomless = base64url_encode(b'{"a":' + b"[" * 20_000).decode()
    assert answers(app, f"{bottomless}.{bottomless}.") == INVALID


@pytest.mark.parametrize(
    "token",
    ["x", ".", "..", "...", "a.b.c", "a.b.c.d.e", "null.null.null", "W10.W10.", "e30.e30.",
     "bnVsbA.bnVsbA.", "MQ.MQ.", "é.é.é", "=.=.=", "\x7f", "a" * 60_000],
    ids=lambda token: token[:8],
)  # fmt: skip
def test_what_is_no_token_at_all_is_refused(app: APIFlask, forge: Forge, token: str) -> None:
    assert answers(app, token) == INVALID


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "iat", "exp", "jti", "type"])
def test_no_claim_may_be_missing(app: APIFlask, forge: Forge, kind: str, claim: str) -> None:
    claims = forge.claims(kind)
    del claims[claim]
    assert answers(app, forge.sign(claims)) == INVALID


NOW = clock.now
WRONG_CLAIMS: Mapping[str, Callable[[], Claims]] = {
    "iss": lambda: {"iss": "https://evil.example"},
    "iss-slash": lambda: {"iss": "http://localhost:5000/"},
    "iss-list": lambda: {"iss": ["http://localhost:5000"]},
    "aud": lambda: {"aud": "https://evil.example"},
    "aud-empty": lambda: {"aud": []},
    "type": lambda: {"type": "verify_email"},
    "type-empty": lambda: {"type": ""},
    "type-null": lambda: {"type": None},
    "type-list": lambda: {"type": ["access"]},
    "iat-ahead": lambda: {"iat": int(NOW().timestamp()) + 3600},
    "iat-text": lambda: {"iat": "now"},
    "nbf-ahead": lambda: {"nbf": int(NOW().timestamp()) + 3600},
    "exp-text": lambda: {"exp": "never"},
    "exp-null": lambda: {"exp": None},
    "sid-null": lambda: {"sid": None},
    "sid-list": lambda: {"sid": ["x"]},
    "sub-null": lambda: {"sub": None},
    "sub-number": lambda: {"sub": 1},
}


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_no_claim_may_be_wrong(app: APIFlask, forge: Forge, kind: str, name: str) -> None:
    assert answers(app, forge.sign(forge.claims(kind) | WRONG_CLAIMS[name]())) == INVALID


@pytest.mark.parametrize("gen", [None, 0, -1, True, 1.5, "1", []])
def test_a_generation_is_a_number_from_one(app: APIFlask, forge: Forge, gen: object) -> None:
    assert answers(app, forge.sign(forge.claims("refresh") | {"gen": gen})) == INVALID


def test_an_expired_access_token_says_come_back_through_refresh(
    app: APIFlask, forge: Forge
) -> None:
    with time_machine.travel(NOW() + timedelta(minutes=15, seconds=1)):
        response = app.test_client().get(ME, headers=bearer(forge.tokens["access_token"]))
        assert (response.status_code, response.get_json()["code"]) == (401, "token_expired")
        response = app.test_client().post(REFRESH, headers=bearer(forge.tokens["access_token"]))
        assert response.get_json()["code"] == "token_invalid"


def test_an_expired_refresh_token_is_not_taken_for_an_access_token(
    app: APIFlask, forge: Forge
) -> None:
    with time_machine.travel(NOW() + timedelta(days=31)):
        response = app.test_client().get(ME, headers=bearer(forge.tokens["refresh_token"]))
        assert response.get_json()["code"] == "token_invalid"
        response = app.test_client().post(REFRESH, headers=bearer(forge.tokens["refresh_token"]))
        assert response.get_json()["code"] == "token_expired"


def test_a_key_that_we_no_longer_have_verifies_nothing(app: APIFlask, forge: Forge) -> None:
    assert parts_of(app).keys.find(forge.kid)
    assert answers(app, forge.sign(forge.claims(), {"kid": "retired"}, private_key())) == INVALID
