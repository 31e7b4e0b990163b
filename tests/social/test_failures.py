"""What goes wrong at a provider: each has a sentence, a number, a cause in the log, and an end."""

import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
import requests

from tests.social.evil import (
    ACCESS_TOKEN,
    CODE,
    SECRET,
    Behaviour,
    Evil,
    drips,
    drips_headers,
    floods,
    hangs,
    hangs_up,
    says,
)
from tests.social.kit import Browser, Place, heading_of, new_address, path_of, query_of

pytestmark = pytest.mark.xdist_group("social")
DOWN = (503, "provider_unavailable", "The provider does not answer right now.")
EXPIRED = (400, "attempt_expired", "This took more than 10 minutes")
MISCONFIGURED = (503, "provider_misconfigured", "This site is not set up right at the provider.")
WRONG_URI = (503, "redirect_uri_wrong", "The provider does not know this site's address.")
CANCELLED = (400, "provider_cancelled", "You cancelled.")
NOT_ALLOWED = (403, "permission_missing", "The provider may not tell us who you are.")
INVALID = (401, "provider_token_invalid", "We could not verify what the provider sent.")
Expected = tuple[int, str, str]

TOKEN_ENDPOINT: dict[str, tuple[Behaviour, Expected]] = {
    "invalid_client": (says(401, {"error": "invalid_client"}), MISCONFIGURED),
    "unauthorized_client": (says(400, {"error": "unauthorized_client"}), MISCONFIGURED),
    "unheard of": (says(400, {"error": "x" * 3000}), MISCONFIGURED),
    "an error that is no word": (says(400, {"error": {"code": 7}}), MISCONFIGURED),
    "invalid_grant": (says(400, {"error": "invalid_grant"}), EXPIRED),
    "redirect_uri_mismatch": (says(400, {"error": "redirect_uri_mismatch"}), WRONG_URI),
    "redirect_uri described": (
        says(400, {"error": "invalid_grant", "error_description": "redirect_uri differs"}),
        WRONG_URI,
    ),
    "invalid_scope": (says(400, {"error": "invalid_scope"}), NOT_ALLOWED),
    "500": (says(500, {"error": "invalid_client"}), DOWN),
    "502 page": (says(502, "<html>Bad gateway</html>"), DOWN),
    "429": (says(429, {"error": "slow_down"}), DOWN),
    "server_error": (says(400, {"error": "server_error"}), DOWN),
    "a page": (says(200, "<html>Welcome</html>"), DOWN),
    "not JSON": (says(400, "{"), DOWN),
    "a list": (says(200, []), DOWN),
    "a number": (says(200, 7), DOWN),
    "null": (says(200, None), DOWN),
    "a word": (says(200, '"error"'), DOWN),
    "no id token": (says(200, {"access_token": "x", "token_type": "Bearer"}), DOWN),
    "an id token that is none": (says(200, {"access_token": "x", "id_token": 7}), DOWN),
    "empty": (says(200, ""), DOWN),
    "nested": (says(200, "[" * 20_000), DOWN),
    "a redirect": (says(302, {}, Location="http://127.0.0.1:1/"), DOWN),
    "hanging up": (hangs_up, DOWN),
    "a flood": (floods, DOWN),
}


def assert_failed(place: Place, response: requests.Response, expected: Expected) -> None:
    status, code, sentence = expected
    assert response.status_code == status, response.text
    assert sentence in unescape(response.text)
    assert heading_of(response).startswith("Not signed in with ")
    log = place.log_of(response)
    assert f": {code}" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("name", TOKEN_ENDPOINT)
def test_each_failure_of_a_token_endpoint(
    place: Place, evil: Evil, browser: Browser, name: str
) -> None:
    behaviour, expected = TOKEN_ENDPOINT[name]
    evil.behaviours = {"/token": behaviour}
    response = evil.come_back(browser)
    assert_failed(place, response, expected)
    assert browser.who() is None
    assert browser.attempts() == []
    # The next attempt is not the worse for it.
    evil.behaviours, evil.changes = {}, {"sub": new_address(), "email": new_address()}
    assert evil.come_back(browser).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"error": "access_denied"}, CANCELLED),
        ({"error": "user_cancelled_authorize"}, CANCELLED),
        ({"error": "server_error"}, DOWN),
        ({"error": "temporarily_unavailable"}, DOWN),
        ({"error": "invalid_scope"}, NOT_ALLOWED),
        ({"error": "consent_required"}, NOT_ALLOWED),
        ({"error": "unauthorized_client"}, MISCONFIGURED),
        ({"error": "invalid_request", "error_description": "redirect_uri"}, WRONG_URI),
        ({"error": "<script>alert(1)</script>"}, MISCONFIGURED),
        ({"error": "a\nFORGED", "error_description": "b\r\nFORGED line"}, MISCONFIGURED),
        ({"error": "x" * 500, "error_description": "y" * 1500}, MISCONFIGURED),
        ({"code": ""}, EXPIRED),
        ({"iss": "https://accounts.google.com"}, INVALID),
        ({"iss": ""}, INVALID),
    ],
    ids=str,
)
def test_each_failure_that_the_browser_brings_back(
    place: Place, evil: Evil, browser: Browser, query: dict[str, str], expected: Expected
) -> None:
    response = evil.come_back(browser, **query)
    assert_failed(place, response, expected)
    assert "alert(1)" not in response.text
    assert not any(line.startswith("FORGED") for line in place.site.log.read_text().splitlines())


def test_a_provider_that_promises_to_name_itself_has_to(
    place: Place, evils: dict[str, Evil], browser: Browser
) -> None:
    sender = evils["sender"]
    sender.changes = {"sub": new_address(), "email": new_address()}
    assert_failed(place, sender.come_back(browser), INVALID)
    assert_failed(place, sender.come_back(browser, iss=sender.issuer + "/"), INVALID)
    assert sender.come_back(browser, iss=sender.issuer).status_code == 200


def test_a_discovery_document_of_another_issuer_is_refused(place: Place, browser: Browser) -> None:
    response = browser.get("/auth/liar/start")
    assert_failed(place, response, MISCONFIGURED)
    assert "https://elsewhere.example.org" in place.log_of(response)
    assert "elsewhere" not in response.text


def test_endpoints_that_are_not_safe_are_refused(place: Place, browser: Browser) -> None:
    response = browser.get("/auth/poor/start")
    assert_failed(place, response, MISCONFIGURED)
    assert "token_endpoint" in place.log_of(response)


@pytest.mark.parametrize(
    "body", ["<html>", "[]", "{}", "null", '{"issuer": 7}', "[" * 20_000, ""], ids=range(7)
)
def test_a_discovery_document_that_is_none(
    place: Place, evils: dict[str, Evil], browser: Browser, body: str
) -> None:
    junk = evils["junk"]
    junk.behaviours = {"/.well-known/openid-configuration": says(200, body)}
    response = browser.get("/auth/junk/start?next=/account/devices")
    is_object = body.startswith("{")
    assert_failed(place, response, MISCONFIGURED if is_object else DOWN)
    assert 'href="/auth/junk/start?next=/account/devices"' in response.text


@pytest.mark.parametrize(
    "body",
    [{}, {"keys": None}, {"keys": 7}, {"keys": ["x", 7, None, {}]}, {"keys": [{"kty": "RSA"}]},
     {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "0"}]}],
    ids=range(6),
)  # fmt: skip
def test_keys_that_are_none(
    place: Place, evils: dict[str, Evil], browser: Browser, body: object
) -> None:
    """Nobody is signed in; what the site has fetched once it keeps, so it is asked once only."""
    down = evils["down"]
    down.behaviours = {"/keys": says(200, body)}
    response = down.come_back(browser)
    assert response.status_code in (401, 503)
    assert "Traceback" not in place.log_of(response)
    assert browser.who() is None


def test_a_provider_that_is_not_there_is_said_to_be_down(place: Place, browser: Browser) -> None:
    began = time.monotonic()
    assert_failed(place, browser.get("/auth/gone/start"), DOWN)
    answer = browser.call("POST", "gone/login", {"id_token": "x.y.z"})
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert answer.headers["Retry-After"]
    assert time.monotonic() - began < 3


SLOW = {"hanging": hangs, "dripping": drips, "dripping headers": drips_headers}


def test_slow_providers_are_given_up_and_hold_nobody_else_up(
    place: Place, evils: dict[str, Evil]
) -> None:
    """All at once, for the sake of the test's own time; the site answers others meanwhile."""
    cases = [(evils["evil"], "hanging"), (evils["twin"], "dripping")]
    cases.append((evils["sender"], "dripping headers"))
    browsers = [place.browser() for _ in cases]
    states = [evil.start(browser) for (evil, _), browser in zip(cases, browsers, strict=True)]

    def come(number: int) -> requests.Response:
        evil, name = cases[number]
        evil.behaviours = {"/token": SLOW[name]}
        extra = {"iss": evil.issuer} if evil.name == "sender" else {}
        found: requests.Response = evil.come_back(browsers[number], states[number], **extra)
        return found

    began = time.monotonic()
    with ThreadPoolExecutor(len(cases)) as pool:
        waiting = [pool.submit(come, number) for number in range(len(cases))]
        time.sleep(0.5)
        asked = time.monotonic()
        assert requests.get(place.url + "/login", timeout=30).status_code == 200
        assert time.monotonic() - asked < 3
        responses = [each.result(timeout=40) for each in waiting]
    for evil, _ in cases:
        evil.reset()
    for response in responses:
        assert_failed(place, response, DOWN)
    assert time.monotonic() - began < 16


def test_an_address_in_the_userinfo_counts_when_it_is_the_same_person(
    place: Place, evils: dict[str, Evil], browser: Browser
) -> None:
    flood = evils["flood"]
    flood.metadata = {"userinfo_endpoint": f"{flood.issuer}/userinfo"}
    email = new_address()
    told = {"sub": "quiet", "email": email, "email_verified": True, "name": "Qui Et"}
    flood.changes = {"sub": "quiet", "email": None, "name": None}
    flood.behaviours = {"/userinfo": says(200, told | {"sub": "another"})}
    assert_failed(place, flood.come_back(browser), INVALID)
    flood.behaviours = {"/userinfo": says(200, [])}
    assert_failed(place, flood.come_back(browser), INVALID)
    flood.behaviours = {"/userinfo": says(401, {"error": "no"})}
    assert path_of(flood.come_back(browser).url) == "/auth/address"
    flood.behaviours = {"/userinfo": says(200, told)}
    assert flood.come_back(browser).status_code == 200
    assert (browser.me()["email"], browser.me()["name"]) == (email, "Qui Et")


def test_nothing_secret_is_in_the_log_of_failures(place: Place, evil: Evil) -> None:
    browser = place.browser()
    states = []
    for behaviour in (says(500, "x"), says(400, {"error": "invalid_grant"}), hangs_up):
        evil.behaviours = {"/token": behaviour}
        states.append(evil.start(browser))
        evil.come_back(browser, states[-1])
    callback = browser.answer(browser.start("github"), email=new_address())
    place.browser().get(callback)
    log = place.site.log.read_text()
    for secret in (SECRET, ACCESS_TOKEN, CODE, *states, query_of(callback)["code"]):
        assert secret not in log
