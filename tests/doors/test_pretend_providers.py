"""The pretend providers speak what the real ones speak, and refuse what those refuse."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.doors.pretend_kit import ALL, BASE, App, answered
from webapp import clock

PKCE = ("google", "facebook", "github")
ADA = {"person": "typed", "name": "Ada B. Lovelace", "email": "Ada@Example.org"}


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """A site with all of them."""
    return make_app(fake_providers=ALL)


@pytest.fixture(params=ALL)
def at(request: pytest.FixtureRequest, app: APIFlask) -> App:
    """The app at each provider in turn."""
    return App(app, request.param)


def email_told(at: App, **fields: str) -> tuple[str | None, object]:
    """Return the address that a provider tells, and whether it says that it is verified."""
    reply = at.tokens(**fields)
    if at.name in ("google", "apple"):
        claims = at.claims(reply["id_token"])
        return claims.get("email"), claims.get("email_verified")
    if at.name == "facebook":
        me = at.fetch("/me?fields=id,name,email", reply["access_token"]).get_json()
        return me.get("email"), None
    emails = at.fetch("/user/emails", reply["access_token"]).get_json()
    return (emails[0]["email"], emails[0]["verified"]) if emails else (None, None)


def subject_told(at: App, **fields: str) -> str:
    reply = at.tokens(**fields)
    if at.name in ("google", "apple"):
        return str(at.claims(reply["id_token"])["sub"])
    path = "/me" if at.name == "facebook" else "/user"
    return str(at.fetch(path, reply["access_token"]).get_json()["id"])


def test_the_whole_flow(at: App) -> None:
    answer = at.answer()
    assert answer["state"] == at.state
    assert answer.get("iss") == (at.client.issuer if at.name == "google" else None)
    response = at.exchange(answer["code"])
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.get_json()["token_type"].lower() == "bearer"
    said = {"google": True, "apple": "true", "facebook": None, "github": True}[at.name]
    assert email_told(at) == ("anna@example.org", said)


def test_an_unverified_address(at: App) -> None:
    said = {
        "google": ("Ada@Example.org", False),
        "apple": ("Ada@Example.org", "false"),
        "facebook": (None, None),
        "github": ("Ada@Example.org", False),
    }
    assert email_told(at, **ADA, address="unverified") == said[at.name]


@pytest.mark.parametrize("who", [{"person": "chris"}, {**ADA, "address": "none"}])
def test_no_address(at: App, who: dict[str, str]) -> None:
    assert email_told(at, **who) == (None, None)


def test_a_subject_is_the_same_here_and_another_elsewhere(app: APIFlask) -> None:
    subjects = set()
    for at in (App(app, name) for name in ALL):
        found = {
            subject_told(at, **ADA),
            subject_told(at, **ADA | {"name": "Another name"}, address="unverified"),
            subject_told(at, **ADA | {"email": "ada@example.org"}, address="none"),
        }
        assert len(found) == 1
        others = {subject_told(at, person=person) for person in ("anna", "ben", "chris")}
        subjects |= found | others
    assert len({subject[:8] for subject in subjects}) == 4 * len(ALL)


@pytest.mark.parametrize(
    "sent",
    [
        {"person": "typed", "name": "Ada", "email": ""},
        {"person": "typed", "name": "", "email": "", "address": "none"},
        {"person": "typed", "name": "Ada", "email": "no address"},
        {"person": "typed", "email": "ada@example.org", "address": "perhaps"},
        {"person": "nobody"},
        {"person": ""},
    ],
)
def test_who_it_is_has_to_be_said(at: App, sent: dict[str, str]) -> None:
    response = at.consent(**sent)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert f'action="{at.question().replace("&", "&amp;")}"' in response.text


def test_the_consent_page_has_to_be_ours(at: App) -> None:
    at.browser.get(at.question())
    response = at.browser.post(at.question(), data={"person": "anna", "answer": "continue"})
    assert response.status_code == 403
    assert "Location" not in response.headers


def test_cancelling(at: App) -> None:
    answer = at.answer(answer="cancel")
    assert answer["state"] == at.state
    assert "code" not in answer
    error = "user_cancelled_authorize" if at.name == "apple" else "access_denied"
    assert answer["error"] == error
    assert answer.get("error_reason") == ("user_denied" if at.name == "facebook" else None)


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "https://evil.example/auth/{name}/callback",
        f"{BASE}/auth/{{name}}/callback/../../x",
        f"{BASE}/auth/{{name}}/callback?x=y",
        f"{BASE}/elsewhere",
        f"{BASE}.evil.example/auth/{{name}}/callback",
        f"{BASE}@evil.example",
        "http://localhost:80@evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1:5000;x/",
        "https://localhost/",
        "http://localhost/#fragment",
        "javascript:alert(1)//localhost",
    ],
)
def test_an_address_that_nobody_registered(at: App, address: str | None) -> None:
    question = at.question(redirect_uri=address and address.format(name=at.name))
    for response in (at.browser.get(question), at.browser.post(question)):
        assert response.status_code == 400
        assert "redirect_uri_mismatch" in response.text
        assert "Location" not in response.headers


def test_the_callback_of_another_provider(app: APIFlask) -> None:
    question = App(app, "google").question(redirect_uri=f"{BASE}/auth/apple/callback")
    assert "redirect_uri_mismatch" in app.test_client().get(question).text


@pytest.mark.parametrize("address", ["http://127.0.0.1:49152/done?a=b", "http://localhost:3000"])
def test_an_app_on_this_machine(at: App, address: str) -> None:
    question = at.question(redirect_uri=address)
    policy = at.browser.get(question).headers["Content-Security-Policy"]
    origin = f"http://{urlsplit(address).netloc}"
    assert f"form-action 'self' {origin};" in policy
    code = at.answer(question)["code"]
    assert at.exchange(code).get_json()["error"] == "invalid_grant"
    assert at.exchange(code, redirect_uri=address).status_code == 200


def test_another_app(at: App) -> None:
    response = at.browser.get(at.question(client_id="somebody-else"))
    assert response.status_code == 400
    assert "invalid_client" in response.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none"}, "interaction_required"),
    ],
)
def test_what_no_provider_does(at: App, changes: dict[str, str], error: str) -> None:
    answer = answered(at.browser.get(at.question(**changes)))
    assert (answer["error"], answer["state"]) == (error, at.state)


@pytest.mark.parametrize("name", PKCE)
@pytest.mark.parametrize(
    "changes",
    [{"code_challenge_method": None}, {"code_challenge_method": "plain"}, {"code_challenge": "x"}],
)
def test_challenges_are_s256(app: APIFlask, name: str, changes: dict[str, str | None]) -> None:
    at = App(app, name)
    answer = answered(at.browser.get(at.question(**changes)))
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize("name", PKCE)
@pytest.mark.parametrize("verifier", [None, "", "x" * 43, "short"])
def test_a_wrong_verifier(app: APIFlask, name: str, verifier: str | None) -> None:
    at = App(app, name)
    response = at.exchange(at.answer()["code"], code_verifier=verifier)
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("name", PKCE)
def test_without_a_challenge_there_is_no_verifier(app: APIFlask, name: str) -> None:
    at = App(app, name)
    code = at.answer(at.question(code_challenge=None, code_challenge_method=None))["code"]
    assert at.exchange(code, code_verifier=None).status_code == 200
    assert at.exchange(code).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize("secret", ["", "wrong", "ä", None])
def test_a_wrong_secret(at: App, secret: str | None) -> None:
    response = at.exchange(at.answer()["code"], client_secret=secret)
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")
    assert "WWW-Authenticate" in response.headers


def test_a_wrong_client_id(at: App) -> None:
    response = at.exchange(at.answer()["code"], client_id="somebody-else")
    assert (response.status_code, response.get_json()["error"]) == (401, "invalid_client")


def test_codes_and_tokens_expire(at: App) -> None:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        code = at.answer()["code"]
        traveller.shift(timedelta(seconds=60))
        token = at.exchange(code).get_json()["access_token"]
        traveller.shift(timedelta(seconds=1))
        assert at.exchange(code).get_json()["error"] == "invalid_grant"
        path = {"google": "/userinfo", "facebook": "/me", "github": "/user"}.get(at.name)
        if path:
            traveller.shift(timedelta(minutes=59))
            assert at.fetch(path, token).status_code == 200
            traveller.shift(timedelta(minutes=1))
            assert at.fetch(path, token).status_code in (400, 401)


def _changed(sealed: str) -> str:
    """Return it with another letter in the middle: the last one's bits do not all count."""
    middle = len(sealed) // 2
    return sealed[:middle] + ("a" if sealed[middle] != "a" else "b") + sealed[middle + 1 :]


def test_codes_and_tokens_do_not_stand_in_for_each_other(app: APIFlask) -> None:
    google, github = App(app, "google"), App(app, "github")
    code, token = google.answer()["code"], google.tokens()["access_token"]
    assert google.fetch("/userinfo", code).status_code == 401
    assert google.exchange(token).get_json()["error"] == "invalid_grant"
    assert google.exchange(_changed(code)).get_json()["error"] == "invalid_grant"
    assert github.fetch("/user", token).status_code == 401
    assert github.exchange(code, code_verifier=google.verifier).status_code == 400
