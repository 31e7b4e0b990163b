"""Signing in with what a native app holds: an id token, or an access token of our own app."""

import hashlib
import json
from typing import Any

import jwt
import pytest
import requests

from tests.processes.kit import bearer
from tests.social.evil import Evil, rsa_key
from tests.social.kit import Browser, Place, make_account, new_address, query_of
from tests.social.test_id_tokens import FORGERIES, OUT_OF_TIME, WRONG
from webapp.features.pretend import grants, id_tokens
from webapp.features.pretend.grants import Grant
from webapp.features.pretend.people import Person, subject_of

pytestmark = pytest.mark.xdist_group("social")
# Without a nonce in the request there is none to compare.
ABOUT_NONCES = {"nonce", "no nonce", "nonce a list"}


def grant_of(provider: str, email: str = "", **changes: Any) -> Grant:
    """Return what somebody allowed a native app at a provider that the site plays."""
    subject = subject_of(provider, email)
    person = Person(subject, "Ann Lee", email, is_verified=True)
    values: dict[str, Any] = {
        "client_id": f"pretend-{provider}",
        "redirect_uri": "app:/callback",
        "person": person,
        "scopes": ("openid", "email", "profile", "user:email", "public_profile"),
    }
    return Grant(**(values | changes))


def token_of(place: Place, provider: str, email: str = "", **changes: Any) -> dict[str, str]:
    """Return the body of a native sign-in: what the provider gave the app."""
    grant = grant_of(provider, email, **changes)
    settings = place.settings
    if provider in ("google", "apple"):
        return {"id_token": id_tokens.issue_id_token(provider, grant, settings)}
    return {"access_token": grants.seal("access token", provider, grant, settings)}


def login(place: Place, provider: str, **body: Any) -> requests.Response:
    return place.browser().call("POST", f"{provider}/login", body)


def refusal_of(response: requests.Response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("provider", ["google", "apple", "facebook", "github"])
def test_somebody_new_and_the_same_again(place: Place, provider: str) -> None:
    email, browser = new_address(), place.browser()
    body = token_of(place, provider, email)
    reply = browser.call("POST", f"{provider}/login", body)
    assert reply.status_code == 200, reply.text
    assert reply.json()["token_type"] == "cookie"
    assert "access_token" not in reply.json()
    assert browser.me()["email"] == email
    assert browser.me()["email_verified"]
    again = login(place, provider, **body, transport="bearer")
    assert again.json()["user"]["id"] == browser.me()["id"]
    headers = bearer(again.json()["access_token"])
    assert requests.get(f"{place.url}/api/v1/auth/me", headers=headers, timeout=30).ok
    assert "Set-Cookie" not in again.headers


@pytest.mark.parametrize("provider", ["google", "apple"])
def test_the_nonce_plain_or_as_apple_hashes_it(place: Place, provider: str) -> None:
    hashed = hashlib.sha256(b"n-0S6_WzA2Mj").hexdigest()
    for held, is_right in (("n-0S6_WzA2Mj", True), (hashed, True), ("another", False), ("", False)):
        email = new_address()
        body = token_of(place, provider, email, nonce=held)
        reply = login(place, provider, **body, nonce="n-0S6_WzA2Mj")
        expected = (200, None) if is_right else (401, "provider_token_invalid")
        assert (reply.status_code, reply.json().get("code")) == expected, held


def test_apples_name_comes_from_the_app(place: Place) -> None:
    email = new_address()
    body = token_of(place, "apple", email)
    reply = login(place, "apple", **body, name="  Ann   Lee ")
    assert reply.json()["user"]["name"] == "Ann   Lee"
    reply = login(place, "apple", **body, name="Somebody Else")
    assert reply.json()["user"]["name"] == "Ann   Lee"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(place: Place, evil: Evil, name: str) -> None:
    evil.make_token = FORGERIES[name]
    reply = login(place, "evil", id_token=evil.id_token() or " ")
    assert refusal_of(reply) == (401, "provider_token_invalid")


@pytest.mark.parametrize("name", sorted({*WRONG, *OUT_OF_TIME} - ABOUT_NONCES - {"aud native"}))
def test_a_wrong_claim_is_refused(place: Place, evil: Evil, name: str) -> None:
    changes = (WRONG | OUT_OF_TIME)[name]
    if changes.get("iss") == "SLASH":
        changes = {"iss": evil.issuer + "/"}
    claims = json.dumps(evil.claims(**changes)).encode()
    token = jwt.api_jws.encode(claims, rsa_key(0), "RS256", {"kid": "0"})
    reply = login(place, "evil", id_token=token)
    assert refusal_of(reply) == (401, "provider_token_invalid")


@pytest.mark.parametrize(
    ("audience", "is_ours"),
    [("app-one", True), ("app-two", True), (["app-one", "latchkey"], True), ("app-three", False),
     (["app-one", "app-three"], False)],
    ids=str,
)  # fmt: skip
def test_further_audiences_are_the_operators_to_name(
    place: Place, evil: Evil, audience: object, is_ours: bool
) -> None:
    email = new_address()
    token = evil.id_token(aud=audience, sub=email, email=email)
    assert login(place, "evil", id_token=token).status_code == (200 if is_ours else 401)


@pytest.mark.parametrize("provider", ["facebook", "github"])
def test_an_access_token_of_another_app_is_refused(place: Place, provider: str) -> None:
    body = token_of(place, provider, new_address(), client_id="another-app")
    assert refusal_of(login(place, provider, **body)) == (401, "provider_token_invalid")
    body = {"access_token": "nonsense"}
    assert refusal_of(login(place, provider, **body)) == (401, "provider_token_invalid")


@pytest.mark.parametrize("provider", ["facebook", "github"])
def test_what_was_allowed_is_not_enough(place: Place, provider: str) -> None:
    """Without the permission to tell the address there is none."""
    body = token_of(place, provider, new_address(), scopes=("public_profile",))
    assert refusal_of(login(place, provider, **body)) == (403, "email_not_verified")


@pytest.mark.parametrize(
    ("provider", "needed"),
    [("google", "id_token"), ("apple", "id_token"), ("evil", "id_token"),
     ("facebook", "access_token"), ("github", "access_token")],
)  # fmt: skip
def test_the_wrong_kind_of_token_is_bad_input(place: Place, provider: str, needed: str) -> None:
    other = "access_token" if needed == "id_token" else "id_token"
    for body in ({}, {other: "x"}, {needed: None}, {needed: ""}, {needed: 7}, {needed: ["x"]}):
        reply = login(place, provider, **body)
        assert refusal_of(reply) == (422, "validation_failed"), body
        assert reply.json()["errors"][0]["field"] == needed


def test_what_is_not_there_or_too_much(place: Place) -> None:
    for provider in ("nobody", "microsoft", "GOOGLE", "%00"):
        assert login(place, provider, id_token="x").status_code == 404
    reply = login(place, "google", id_token="x" * 16385)
    assert refusal_of(reply) == (422, "validation_failed")
    nested = jwt.utils.base64url_encode(b"[" * 12_000).decode()
    for token in (f"{nested}.e30.x", f"e30.{nested}.x", "a.b.c", ".", "..", "x" * 16000):
        reply = login(place, "google", id_token=token)
        assert refusal_of(reply) == (401, "provider_token_invalid")


@pytest.mark.parametrize("provider", ["google", "github"])
def test_a_taken_address_has_to_be_linked_there(place: Place, provider: str) -> None:
    email = new_address()
    make_account(place, email)
    body = token_of(place, provider, email)
    assert refusal_of(login(place, provider, **body)) == (409, "link_required")
    assert place.identities(email) == []


def test_an_unverified_address_is_not_enough(place: Place, evil: Evil) -> None:
    for changes in ({"email_verified": False}, {"email": None}):
        reply = login(place, "evil", id_token=evil.id_token(sub="unverified", **changes))
        assert refusal_of(reply) == (403, "email_not_verified")


def test_remembered_or_not(place: Place) -> None:
    body = token_of(place, "google", new_address())
    for remember in (True, False):
        reply = login(place, "google", **body, remember=remember)
        lines = reply.raw.headers.getlist("Set-Cookie")
        of_session = [line for line in lines if not line.startswith("sign_up")]
        assert of_session
        assert all(("Max-Age=" in line) == remember for line in of_session), lines


def test_a_page_of_another_site_signs_nobody_in(place: Place) -> None:
    body = token_of(place, "google", new_address())
    url = f"{place.url}/api/v1/auth/google/login"
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                    {"Sec-Fetch-Site": "cross-site"}):  # fmt: skip
        reply = requests.post(url, json=body, headers=headers, timeout=30)
        assert refusal_of(reply) == (403, "csrf_failed")
    reply = requests.post(url, data=json.dumps(body), timeout=30)
    assert reply.status_code == 415
    # A client that is no browser sends no origin, and needs no token of ours, signed in or not.
    browser = place.browser()
    for _ in range(2):
        reply = browser.session.post(url, json=body, timeout=30)
        assert reply.status_code == 200


def test_a_code_is_no_token(place: Place, browser: Browser) -> None:
    """What went through a browser's address is worth nothing to whoever read it there."""
    code = query_of(browser.answer(browser.start("github"), email=new_address()))["code"]
    assert refusal_of(login(place, "github", access_token=code)) == (401, "provider_token_invalid")
