"""What an app does at a pretend provider, through Flask's test client."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import ProviderSettings
from tests.support import csrf_token_in, parts_of
from webapp import clock
from webapp.features.pretend.clients import client_of

BASE = "http://localhost:5000"
ALL = ("google", "apple", "facebook", "github")
AUTHORIZE = {"facebook": "/dialog/oauth", "github": "/login/oauth/authorize"}
TOKEN = {"facebook": "/oauth/access_token", "github": "/login/oauth/access_token"}
SCOPE = {
    "google": "openid email profile",
    "apple": "openid email name",
    "facebook": "email,public_profile",
    "github": "read:user user:email",
}


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass
class App:
    """The registered app, at one provider, with somebody's browser."""

    app: APIFlask
    name: str
    state: str = field(default_factory=secrets.token_urlsafe)
    nonce: str = field(default_factory=secrets.token_urlsafe)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def __post_init__(self) -> None:
        self.browser: FlaskClient = self.app.test_client()
        self.server: FlaskClient = self.app.test_client(use_cookies=False)
        self.client: ProviderSettings = client_of(self.name, parts_of(self.app).settings)
        self.root = f"/dev/providers/{self.name}"
        self.callback = f"{BASE}/auth/{self.name}/callback"

    def question(self, **changes: str | None) -> str:
        """Return the address that an app sends a browser to."""
        asked: dict[str, str | None] = {
            "client_id": self.client.client_id,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": SCOPE[self.name],
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "response_mode": "form_post" if self.name == "apple" else None,
        }
        left = {name: value for name, value in (asked | changes).items() if value is not None}
        return f"{self.root}{AUTHORIZE.get(self.name, '/authorize')}?{urlencode(left)}"

    def consent(self, question: str = "", **fields: str) -> TestResponse:
        """Open the consent page and send it."""
        question = question or self.question()
        shown = self.browser.get(question)
        assert shown.status_code == 200, shown.text
        first_time = {"first_time": "y"} if self.name == "apple" else {}
        sent = {"person": "anna", "address": "verified", "answer": "continue"} | first_time | fields
        left = {name: value for name, value in sent.items() if value}
        return self.browser.post(question, data=left | {"csrf_token": csrf_token_in(shown.text)})

    def answer(self, question: str = "", **fields: str) -> dict[str, str]:
        """Return what comes back to the app through the browser."""
        return answered(self.consent(question, **fields))

    def secret(self, **changes: Any) -> str:
        """Return the client secret; Apple's is made anew each time, with these claims changed."""
        if self.name != "apple":
            return self.client.client_secret.get_secret_value()
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.client.team_id,
            "sub": self.client.client_id,
            "aud": self.client.issuer,
            "iat": now,
            "exp": now + 300,
        }
        key = changes.pop("key", self.client.private_key.get_secret_value())
        headers = {"kid": changes.pop("kid", self.client.key_id)}
        return jwt.encode(claims | changes, key, "ES256", headers=headers)

    def exchange(self, code: str, **changes: str | None) -> TestResponse:
        """Turn a code into tokens."""
        sent = {
            "grant_type": "authorization_code",
            "client_id": self.client.client_id,
            "client_secret": self.secret() if "client_secret" not in changes else None,
            "redirect_uri": self.callback,
            "code": code,
            "code_verifier": self.verifier,
        } | changes
        left = {name: value for name, value in sent.items() if value is not None}
        headers = {"Accept": "application/json"}
        path = self.root + TOKEN.get(self.name, "/token")
        return self.server.post(path, data=left, headers=headers)

    def tokens(self, **fields: str) -> dict[str, Any]:
        """Go all the way."""
        response = self.exchange(self.answer(**fields)["code"])
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.get_json()
        return reply

    def claims(self, id_token: str) -> dict[str, Any]:
        """Return what an id token says, once checked as any app would."""
        keys = jwt.PyJWKSet.from_dict(self.server.get(f"{self.root}/keys").get_json())
        found: dict[str, Any] = jwt.decode(
            id_token,
            keys[jwt.get_unverified_header(id_token)["kid"]],
            algorithms=["RS256"],
            audience=self.client.client_id,
            issuer=self.client.issuer,
            options={"require": ["iss", "sub", "aud", "iat", "exp"]},
        )
        return found

    def fetch(self, path: str, token: str) -> TestResponse:
        """Ask the provider with an access token."""
        return self.server.get(self.root + path, headers={"Authorization": f"Bearer {token}"})


def answered(response: TestResponse) -> dict[str, str]:
    """Return what an answer holds, be it a redirect or a page with a form."""
    if response.status_code == 303:
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query))
    assert response.status_code == 200, response.text
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.text)
    return {name: unescape(value) for name, value in found}
