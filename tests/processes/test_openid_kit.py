"""The other OpenID provider does what the tests that sign in with it rely on."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import requests

from tests.processes.openid_kit import OpenIdProvider, openid_provider

CALLBACK = "http://localhost:5000/auth/other/callback"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    """A provider for all of this file."""
    log = tmp_path_factory.mktemp("openid") / "provider.log"
    with openid_provider([CALLBACK], log=log) as running:
        yield running


@dataclass
class App:
    """An app that does nothing but the code flow."""

    provider: OpenIdProvider
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str = field(default_factory=secrets.token_urlsafe)

    def question(self, **changes: str) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "client_id": self.provider.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid email profile",
            "state": "the state",
            "nonce": self.nonce,
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self.provider.issuer}/auth?{urlencode(asked | changes)}"

    def answer(self, login: str) -> dict[str, str]:
        return query_of(self.provider.sign_in(self.question(), login))

    def exchange(self, code: str, verifier: str = "", timeout: float = 20) -> requests.Response:
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return requests.post(
            f"{self.provider.issuer}/token",
            data=sent | {"code_verifier": verifier or self.verifier},
            auth=(self.provider.client_id, self.provider.client_secret),
            timeout=timeout,
        )

    def claims(self, login: str, algorithm: str = "RS256") -> dict[str, Any]:
        """Sign somebody in, and return what the id token says, once it is checked."""
        id_token = self.exchange(self.answer(login)["code"]).json()["id_token"]
        keys = jwt.PyJWKClient(f"{self.provider.issuer}/jwks")
        found: dict[str, Any] = jwt.decode(
            id_token,
            keys.get_signing_key_from_jwt(id_token),
            algorithms=[algorithm],
            audience=self.provider.client_id,
            issuer=self.provider.issuer,
        )
        return found


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_the_code_flow(provider: OpenIdProvider) -> None:
    app = App(provider)
    url = provider.sign_in(app.question(), "anna@example.org")
    assert url.startswith(CALLBACK + "?")
    answer = query_of(url)
    assert (answer["state"], answer["iss"]) == ("the state", provider.issuer)
    assert app.exchange(answer["code"], verifier="x" * 43).json()["error"] == "invalid_grant"
    claims = app.claims("anna@example.org")
    assert claims["nonce"] == app.nonce
    assert claims["sub"] == claims["email"] == "anna@example.org"


def test_a_code_works_once(provider: OpenIdProvider) -> None:
    app = App(provider)
    code = app.answer("anna@example.org")["code"]
    assert [app.exchange(code).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("anna@example.org", ("anna@example.org", True)),
        ("unverified:anna@example.org", ("anna@example.org", False)),
        ("none:anna", (None, None)),
    ],
)
def test_login_names_say_what_is_told(
    provider: OpenIdProvider, login: str, told: tuple[str | None, bool | None]
) -> None:
    claims = App(provider).claims(login)
    assert (claims.get("email"), claims.get("email_verified")) == told


def test_cancelling(provider: OpenIdProvider) -> None:
    answer = query_of(provider.cancel(App(provider).question()))
    assert (answer["error"], answer["state"]) == ("access_denied", "the state")


def test_without_pkce_there_is_no_code(provider: OpenIdProvider) -> None:
    question = App(provider).question(code_challenge="", code_challenge_method="")
    answer = query_of(provider.sign_in(question, "anna@example.org"))
    assert answer["error"] == "invalid_request"


def test_its_keys_rotate(provider: OpenIdProvider) -> None:
    def kids() -> set[str]:
        keys = requests.get(f"{provider.issuer}/jwks", timeout=20).json()["keys"]
        return {key["kid"] for key in keys}

    before = kids()
    app = App(provider)
    code = app.answer("anna@example.org")["code"]
    provider.rotate_keys()
    assert not before & kids()
    id_token = app.exchange(code).json()["id_token"]
    assert jwt.get_unverified_header(id_token)["kid"] in kids()
    assert app.claims("anna@example.org")


def test_it_goes_wrong_when_told_to(provider: OpenIdProvider) -> None:
    app = App(provider)
    code = app.answer("anna@example.org")["code"]
    provider.treat("/token", "hang")
    with pytest.raises(requests.ReadTimeout):
        app.exchange(code, timeout=0.3)
    provider.treat("/token", "error")
    assert app.exchange(code).status_code == 500
    provider.treat("/token", "garbage")
    assert app.exchange(code).text.startswith("<p>")
    provider.treat("/token", "answer")
    assert app.exchange(code).status_code == 200


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_other_algorithms(algorithm: Any, tmp_path: Path) -> None:
    log = tmp_path / "provider.log"
    with openid_provider(
        [CALLBACK], log=log, algorithm=algorithm, auth_method="client_secret_basic"
    ) as other:
        assert algorithm in other.discovery()["id_token_signing_alg_values_supported"]
        assert App(other).claims("anna@example.org", algorithm)["email_verified"] is True
