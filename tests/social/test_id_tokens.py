"""Id tokens of an evil provider: whatever is wrong with one, nobody is signed in."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from jwt.utils import base64url_encode

from tests.social.evil import ACCESS_TOKEN, CODE, SECRET, Evil, rsa_key, says
from tests.social.kit import Browser, Place, heading_of, new_address, path_of

pytestmark = pytest.mark.xdist_group("social")
INVALID = "We could not verify what the provider sent. Start again."
CLOCK = "The clocks here and at the provider disagree. Tell whoever runs this site."
Forge = Callable[[dict[str, Any]], str]


def public_pem() -> bytes:
    return (
        rsa_key(0)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def unsigned(claims: dict[str, Any], algorithm: str = "none", signature: str = "") -> str:
    """Return a token without a signature."""
    text = jwt.encode(claims, "x" * 32, "HS256", headers={"kid": "0"})
    head = base64url_encode(f'{{"alg":"{algorithm}","typ":"JWT","kid":"0"}}'.encode()).decode()
    return f"{head}.{text.split('.')[1]}.{signature}"


def hmac_with_the_public_key(claims: dict[str, Any]) -> str:
    """Return a token that is genuine to whoever takes the public key for a shared secret."""
    head = base64url_encode(b'{"alg":"HS256","typ":"JWT","kid":"0"}').decode()
    body = jwt.encode(claims, "x" * 32, "HS256").split(".")[1]
    mac = hmac.digest(public_pem(), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{base64url_encode(mac).decode()}"


def signed(key: object = None, algorithm: str = "RS256", **headers: Any) -> Forge:
    """Return a way to sign."""
    given = {"kid": "0"} | headers
    return lambda claims: jwt.encode(claims, key or rsa_key(0), algorithm, headers=given)  # type: ignore[arg-type]


FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "alg None": lambda claims: unsigned(claims, "NoNe"),
    "no signature": lambda claims: unsigned(claims, "RS256"),
    "alg none with the signature": lambda claims: unsigned(claims, "none", "AAAA"),
    "HS256 with the public key": hmac_with_the_public_key,
    "HS256 with our secret": signed(SECRET.encode() * 2, "HS256"),
    "another key": signed(rsa_key(5)),
    "another key by jwk": signed(
        rsa_key(5), jwk=jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(5).public_key(), as_dict=True)
    ),
    "an algorithm that is not for it": signed(algorithm="RS512"),
    "not a token": lambda claims: "x.y.z",
    "empty": lambda claims: "",
    "an array": lambda claims: jwt.api_jws.encode(b"[1]", rsa_key(0), "RS256", {"kid": "0"}),
    "critical header": signed(crit=["x"], x=1),
}
# Claims that are changed, None for those that are left out.
WRONG: dict[str, dict[str, Any]] = {
    "aud": {"aud": "another-app"},
    "aud list": {"aud": ["another-app"]},
    "aud extra": {"aud": ["latchkey", "another-app"]},
    "aud native": {"aud": "app-one"},
    "no aud": {"aud": None},
    "empty aud": {"aud": []},
    "iss": {"iss": "https://accounts.google.com"},
    "iss with a slash": {"iss": "SLASH"},
    "no iss": {"iss": None},
    "iss a list": {"iss": ["x"]},
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "nonce a list": {"nonce": ["x"]},
    "no sub": {"sub": None},
    "sub a number": {"sub": 7},
    "sub empty": {"sub": ""},
    "sub a list": {"sub": ["eve"]},
    "sub with a space behind": {"sub": "eve "},
    "sub with a NUL": {"sub": "eve\0"},
    "sub with a line end": {"sub": "eve\n2"},
    "sub long": {"sub": "x" * 256},
    "sub not ASCII": {"sub": "évé"},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "exp a word": {"exp": "tomorrow"},
}
OUT_OF_TIME: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 90},
    "iat in the future": {"iat": int(time.time()) + 3600},
    "nbf in the future": {"nbf": int(time.time()) + 3600},
}


@pytest.fixture
def caller(place: Place) -> Browser:
    """A browser that nobody is signed in with."""
    return place.browser()


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_signs_nobody_in(
    place: Place, evil: Evil, caller: Browser, name: str
) -> None:
    evil.changes = {"sub": new_address()}
    evil.make_token = FORGERIES[name]
    response = evil.come_back(caller)
    assert response.status_code == 401, response.text
    assert INVALID in response.text
    assert "provider_token_invalid" in place.log_of(response)
    assert caller.who() is None
    assert caller.session.cookies.get("access_token") is None


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_claim_signs_nobody_in(
    place: Place, evil: Evil, caller: Browser, name: str
) -> None:
    changes = {"sub": new_address()} | WRONG[name]
    if changes.get("iss") == "SLASH":
        changes["iss"] = evil.issuer + "/"
    evil.changes = changes
    # PyJWT itself refuses to write some of these.
    evil.make_token = lambda claims: jwt.api_jws.encode(
        json.dumps(claims).encode(), rsa_key(0), "RS256", {"kid": "0"}
    )
    response = evil.come_back(caller)
    assert response.status_code == 401, response.text
    assert INVALID in response.text
    assert "provider_token_invalid" in place.log_of(response)
    assert caller.who() is None


@pytest.mark.parametrize("name", OUT_OF_TIME)
def test_a_token_out_of_its_time_is_said_to_be_the_clocks(
    place: Place, evil: Evil, caller: Browser, name: str
) -> None:
    evil.changes = {"sub": new_address()} | OUT_OF_TIME[name]
    response = evil.come_back(caller)
    assert response.status_code == 401
    assert CLOCK in response.text
    assert "provider_clock_off" in place.log_of(response)
    assert caller.who() is None


def test_clocks_may_be_a_little_apart(evil: Evil, caller: Browser) -> None:
    now = int(time.time())
    evil.changes = {"sub": "apart", "email": new_address(), "iat": now + 30, "exp": now - 30}
    assert evil.come_back(caller).status_code == 200
    assert caller.who()


@pytest.mark.parametrize("size", [20_000, 600_000])
def test_a_huge_token_is_refused_or_taken_but_never_an_error_of_ours(
    evil: Evil, caller: Browser, size: int
) -> None:
    evil.changes = {"sub": f"huge {size}", "email": new_address(), "padding": "x" * size}
    response = evil.come_back(caller)
    assert response.status_code == (200 if size == 20_000 else 503)


@pytest.mark.parametrize(
    ("said", "is_verified"),
    [(True, True), ("true", True), (False, False), ("false", False), ("yes", False),
     ("True", False), (None, False), ([True], False), ({}, False), ("1", False)],
    ids=str,
)  # fmt: skip
def test_only_a_clear_yes_is_a_verified_address(
    evil: Evil, caller: Browser, said: object, is_verified: bool
) -> None:
    email = new_address()
    evil.changes = {"sub": email, "email": email, "email_verified": said}
    response = evil.come_back(caller)
    assert (path_of(response.url) == "/auth/address") == (not is_verified)
    assert caller.who() == (email if is_verified else None)


@pytest.mark.parametrize(
    "email", ["nonsense", "", 7, ["a@b.example"], "a@b.example\0", "@", "x" * 400]
)
def test_what_is_no_address_counts_as_none(evil: Evil, caller: Browser, email: object) -> None:
    evil.changes = {"sub": new_address(), "email": email}
    response = evil.come_back(caller)
    assert path_of(response.url) == "/auth/address"
    assert "did not tell us" in response.text


@pytest.mark.parametrize(
    "name", [7, None, ["x"], "x" * 5000, "<b>x</b>", "a\0b", "\u202egnp.exe"], ids=range(7)
)
def test_a_strange_name_signs_in_all_the_same(
    place: Place, evil: Evil, caller: Browser, name: object
) -> None:
    email = new_address()
    evil.changes = {"sub": email, "email": email, "name": name}
    response = evil.come_back(caller)
    assert response.status_code == 200
    assert len(place.known(email).name) <= 100
    assert "<b>x</b>" not in response.text


def test_an_unverified_address_of_somebody_else_opens_nothing(
    place: Place, evil: Evil, caller: Browser
) -> None:
    email = new_address("victim")
    place.browser().come_from("google", email)
    evil.changes = {"sub": new_address(), "email": email, "email_verified": False}
    assert heading_of(evil.come_back(caller)) == "One more step"
    assert caller.who() is None
    assert [item.provider for item in place.identities(email)] == ["google"]


def test_the_same_subject_at_two_providers_is_two_people(
    place: Place, evils: dict[str, Evil]
) -> None:
    found = []
    for name in ("evil", "twin"):
        evils[name].changes = {"sub": "same", "email": new_address(name)}
        browser = place.browser()
        evils[name].come_back(browser)
        found.append(browser.me()["id"])
        evils[name].reset()
    assert len(set(found)) == 2


def test_subjects_that_differ_in_case_alone_are_two_people(place: Place, evil: Evil) -> None:
    found = set()
    for subject in ("Case", "case"):
        evil.changes = {"sub": subject, "email": new_address()}
        browser = place.browser()
        evil.come_back(browser)
        found.add(browser.me()["id"])
    assert len(found) == 2


@pytest.fixture
def keys(evils: dict[str, Evil]) -> Iterator[Evil]:
    """A provider whose keys come and go."""
    yield evils["keys"]
    evils["keys"].reset()


def test_a_new_key_works_at_once_and_an_unknown_one_is_asked_for_once_a_minute(
    place: Place, keys: Evil
) -> None:
    keys.changes = {"sub": "rotating", "email": new_address()}
    for _ in range(3):
        assert keys.come_back(place.browser()).status_code == 200
    assert keys.asked.count("/keys") == 1
    assert keys.asked.count("/.well-known/openid-configuration") == 1
    for kid in ("made-up-1", "made-up-2"):
        keys.make_token = signed(kid=kid)
        assert keys.come_back(place.browser()).status_code == 401
    keys.make_token = None
    assert keys.asked.count("/keys") <= 2
    # What it had before goes on working while it cannot be asked.
    keys.behaviours = {"/keys": says(500, "down")}
    assert keys.come_back(place.browser()).status_code == 200


def test_a_rotation_is_noticed_at_once(place: Place, evils: dict[str, Evil]) -> None:
    evil = evils["times"]
    evil.changes = {"sub": "rotated", "email": new_address()}
    assert evil.come_back(place.browser()).status_code == 200
    evil.kid, evil.published = "1", ["1"]
    browser = place.browser()
    response = evil.come_back(browser)
    assert response.status_code == 200, place.log_of(response)
    assert browser.who()


def test_nothing_secret_is_in_the_log(place: Place, evil: Evil, caller: Browser) -> None:
    evil.changes = {"sub": new_address(), "email": new_address()}
    evil.come_back(caller)
    evil.make_token = signed(rsa_key(5))
    state = evil.start(caller)
    evil.come_back(caller, state)
    forged = evil.id_token()
    log = place.site.log.read_text()
    for secret in (SECRET, ACCESS_TOKEN, CODE, state, evil.nonce, forged.rpartition(".")[2]):
        assert secret not in log
    assert "code=" not in log
