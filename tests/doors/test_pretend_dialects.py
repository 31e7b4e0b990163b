"""What only one of the pretend providers does."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from apiflask import APIFlask
from cryptography.hazmat.primitives.asymmetric import ec

from config import INSTANCE
from tests.conftest import MakeApp
from tests.doors.pretend_kit import ALL, BASE, App
from tests.support import parts_of
from webapp.features.pretend.grants import Grant, seal
from webapp.features.pretend.people import Person


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """A site with all of them."""
    return make_app(fake_providers=ALL)


@pytest.fixture
def google(app: APIFlask) -> App:
    return App(app, "google")


@pytest.fixture
def apple(app: APIFlask) -> App:
    return App(app, "apple")


@pytest.fixture
def facebook(app: APIFlask) -> App:
    return App(app, "facebook")


@pytest.fixture
def github(app: APIFlask) -> App:
    return App(app, "github")


def test_google_says_where_everything_is(google: App) -> None:
    found = google.server.get(f"{google.root}/.well-known/openid-configuration").get_json()
    assert found["issuer"] == google.client.issuer == f"{BASE}/dev/providers/google"
    assert found["authorization_endpoint"] == google.client.issuer + "/authorize"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    for endpoint in ("jwks_uri", "userinfo_endpoint"):
        path = found[endpoint].removeprefix(BASE)
        assert google.fetch(path.removeprefix(google.root), google.tokens()["access_token"]).json
    assert found["token_endpoint"] == google.client.issuer + "/token"


def test_googles_id_token(google: App) -> None:
    reply = google.tokens()
    claims = google.claims(reply["id_token"])
    assert claims["nonce"] == google.nonce
    assert claims["name"] == "Anna Larsson"
    assert claims["exp"] - claims["iat"] == 3600 == reply["expires_in"]
    assert "auth_time" not in claims
    profile = google.fetch("/userinfo", reply["access_token"]).get_json()
    assert profile == {k: claims[k] for k in ("sub", "email", "email_verified", "name")}


def test_google_tells_what_it_is_asked_for(google: App) -> None:
    question = google.question(scope="openid", nonce=None, max_age="0", prompt="login")
    reply = google.exchange(google.answer(question)["code"]).get_json()
    claims = google.claims(reply["id_token"])
    assert {"email", "email_verified", "name", "nonce"} & set(claims) == set()
    assert claims["auth_time"] == pytest.approx(claims["iat"], abs=5)
    code = google.answer(google.question(scope="email"))["code"]
    assert "id_token" not in google.exchange(code).get_json()


def test_google_takes_the_secret_in_a_header(google: App) -> None:
    sent = {"code": google.answer()["code"], "redirect_uri": google.callback}
    sent |= {"grant_type": "authorization_code", "code_verifier": google.verifier}
    for secret, status in ((google.secret(), 200), ("wrong", 401)):
        auth = (google.client.client_id, secret)
        response = google.server.post(f"{google.root}/token", data=sent, auth=auth)
        assert response.status_code == status


def test_the_address_that_the_app_knows_is_filled_in(google: App) -> None:
    shown = google.browser.get(google.question(login_hint='"ada"@example.org')).text
    assert 'value="&#34;ada&#34;@example.org"' in shown
    assert 'value="typed" checked' in shown
    assert 'value="anna" checked' in google.browser.get(google.question()).text


def test_the_signing_key_is_kept(google: App, make_app: MakeApp) -> None:
    there = App(make_app(fake_providers=("google",)), "google")
    assert google.claims(there.tokens()["id_token"])
    assert list((INSTANCE / "pretend" / "keys").glob("rs256-*.pem"))


def test_apple_answers_with_a_form(apple: App) -> None:
    response = apple.consent()
    assert f'action="{apple.callback}"' in response.text
    assert 'method="post"' in response.text
    assert f"form-action 'self' {BASE};" in response.headers["Content-Security-Policy"]
    answer = apple.answer(person="ben")
    name = {"firstName": "Ben", "lastName": "Okafor"}
    relay = "k7x2mq9w4p@privaterelay.appleid.com"
    assert json.loads(answer["user"]) == {"name": name, "email": relay}
    claims = apple.claims(apple.exchange(answer["code"]).get_json()["id_token"])
    assert (claims["email"], claims["is_private_email"]) == (relay, "true")
    assert claims["nonce"] == apple.nonce
    assert "name" not in claims


def test_apple_sends_the_name_only_once(apple: App) -> None:
    assert "user" not in apple.answer(first_time="")
    assert "user" not in apple.answer(answer="cancel")
    user = json.loads(apple.answer(person="chris")["user"])
    assert user == {"name": {"firstName": "Chris", "lastName": "Ito"}}
    typed = {"person": "typed", "name": "Ada B. Lovelace", "email": "ada@example.org"}
    user = json.loads(apple.answer(**typed)["user"])
    assert user["name"] == {"firstName": "Ada B.", "lastName": "Lovelace"}


def test_apple_puts_a_name_in_no_address(apple: App) -> None:
    response = apple.browser.get(apple.question(response_mode=None))
    assert "error=invalid_request" in response.headers["Location"]
    code = apple.answer(apple.question(response_mode=None, scope="openid"))["code"]
    assert "email" not in apple.claims(apple.exchange(code).get_json()["id_token"])


def test_apple_knows_nothing_of_pkce(apple: App) -> None:
    found = apple.server.get(f"{apple.root}/.well-known/openid-configuration").get_json()
    assert "code_challenge_methods_supported" not in found
    assert "form_post" in found["response_modes_supported"]
    code = apple.answer()["code"]
    assert apple.exchange(code, code_verifier=None).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "ANOTHER"},
        {"sub": "somebody-else"},
        {"aud": "https://appleid.apple.com"},
        {"exp": 1_000_000_000},
        {"exp": 4_000_000_000},
        {"kid": "ANOTHER"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_apples_client_secret(apple: App, changes: dict[str, Any]) -> None:
    response = apple.exchange(apple.answer()["code"], client_secret=apple.secret(**changes))
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


def test_facebook_tells_what_it_is_asked_for(facebook: App) -> None:
    token = facebook.tokens()["access_token"]
    me = facebook.server.get(f"{facebook.root}/me?fields=id,email&access_token={token}").get_json()
    assert set(me) == {"id", "email"}
    assert set(facebook.fetch("/me", token).get_json()) == {"id", "name"}
    code = facebook.answer(facebook.question(scope="public_profile"))["code"]
    token = facebook.exchange(code).get_json()["access_token"]
    assert "email" not in facebook.fetch("/me?fields=id,email", token).get_json()
    assert facebook.fetch("/me", "x").get_json()["error"]["type"] == "OAuthException"


def test_facebook_checks_the_apps_proof(facebook: App) -> None:
    token = facebook.tokens()["access_token"]
    proof = hmac.new(facebook.secret().encode(), token.encode(), hashlib.sha256).hexdigest()
    assert facebook.fetch(f"/me?appsecret_proof={proof}", token).status_code == 200
    assert facebook.fetch(f"/me?appsecret_proof={proof[:-1]}x", token).status_code == 400
    assert facebook.fetch("/me?appsecret_proof=", token).status_code == 400


def test_facebook_takes_a_get(facebook: App) -> None:
    query = {
        "client_id": facebook.client.client_id,
        "client_secret": facebook.secret(),
        "redirect_uri": facebook.callback,
        "code_verifier": facebook.verifier,
        "code": facebook.answer()["code"],
    }
    path = f"{facebook.root}/oauth/access_token"
    response = facebook.server.get(path, query_string=query)
    assert response.get_json()["expires_in"] == 3600


def debug(facebook: App, token: str, app_token: str = "") -> dict[str, Any]:
    app_token = app_token or f"{facebook.client.client_id}|{facebook.secret()}"
    query = {"input_token": token, "access_token": app_token}
    response = facebook.server.get(f"{facebook.root}/debug_token", query_string=query)
    found: dict[str, Any] = response.get_json()
    return found


def test_facebook_says_whose_a_token_is(app: APIFlask, facebook: App) -> None:
    token = facebook.tokens()["access_token"]
    found = debug(facebook, token)["data"]
    assert found["user_id"] == facebook.fetch("/me", token).get_json()["id"]
    assert (found["app_id"], found["type"]) == ("pretend-facebook", "USER")
    assert found["is_valid"] is True
    assert found["scopes"] == ["email", "public_profile"]
    assert debug(facebook, "x")["data"]["is_valid"] is False
    assert "error" in debug(facebook, token, "pretend-facebook|wrong")
    assert "error" in debug(facebook, token, token)
    theirs = Grant("somebody-else", "", Person("1", "Eve"))
    token = seal("access token", "facebook", theirs, parts_of(app).settings)
    assert debug(facebook, token)["data"]["app_id"] == "somebody-else"


def test_github_answers_in_a_form_unless_asked(github: App) -> None:
    sent = {
        "client_id": github.client.client_id,
        "client_secret": github.secret(),
        "redirect_uri": github.callback,
        "code_verifier": github.verifier,
        "code": github.answer()["code"],
    }
    response = github.server.post(f"{github.root}/login/oauth/access_token", data=sent)
    assert response.mimetype == "application/x-www-form-urlencoded"
    assert parse_qs(response.text)["scope"] == ["read:user,user:email"]


def test_githubs_person(github: App) -> None:
    token = github.tokens()["access_token"]
    user = github.fetch("/user", token).get_json()
    assert (user["name"], user["email"]) == ("Anna Larsson", None)
    assert isinstance(user["id"], int)
    emails = github.fetch("/user/emails", token).get_json()
    assert emails[0] == {
        "email": "anna@example.org",
        "primary": True,
        "verified": True,
        "visibility": "private",
    }
    assert github.fetch("/user/emails", "x").status_code == 401
    code = github.answer(github.question(scope="read:user"))["code"]
    token = github.exchange(code).get_json()["access_token"]
    assert github.fetch("/user/emails", token).status_code == 404


def check(
    github: App,
    token: object,
    client_id: str = "pretend-github",
    basic_id: str = "pretend-github",
    secret: str = "",
) -> Any:
    return github.server.post(
        f"{github.root}/applications/{client_id}/token",
        json={"access_token": token},
        auth=(basic_id, secret or github.secret()),
    )


def test_github_says_whose_a_token_is(app: APIFlask, github: App) -> None:
    token = github.tokens()["access_token"]
    found = check(github, token).get_json()
    assert found["app"]["client_id"] == "pretend-github"
    assert found["user"]["id"] == github.fetch("/user", token).get_json()["id"]
    assert found["scopes"] == ["read:user", "user:email"]
    theirs = Grant("somebody-else", "", Person("1", "Eve"))
    foreign = seal("access token", "github", theirs, parts_of(app).settings)
    for refused in (
        check(github, "x"),
        check(github, foreign),
        check(github, None),
        check(github, token, client_id="somebody-else"),
        check(github, token, basic_id="somebody-else"),
        check(github, token, secret="wrong"),
    ):
        assert refused.status_code == 404
    path = f"{github.root}/applications/pretend-github/token"
    assert github.server.post(path, data="[").status_code == 404
