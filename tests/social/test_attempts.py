"""Attempts: each is bound to one browser and one provider, works once, and ends by itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import urlencode

import pytest
import requests
import time_machine
from itsdangerous import URLSafeTimedSerializer

from tests.social.evil import CODE, Evil
from tests.social.kit import ALL, Browser, Place, new_address, path_of, query_of
from tests.support import SECRET, csrf_token_in
from webapp import clock

pytestmark = pytest.mark.xdist_group("social")
every_provider = pytest.mark.parametrize("provider", ALL)
TOO_LATE = "This took more than 10 minutes, or began in another browser. Start again."


def is_refused(place: Place, response: requests.Response) -> bool:
    """Whether an attempt was refused on a page of its own, with the cause in the log."""
    assert response.status_code == 400, response.text
    assert TOO_LATE in response.text
    assert "attempt_expired" in place.log_of(response)
    return True


def callback_of(browser: Browser, provider: str, email: str, target: str = "") -> str:
    """Return the address that somebody comes back by, unopened."""
    return browser.answer(browser.start(provider, target), email=email)


@every_provider
def test_a_code_of_another_browser_opens_nothing(place: Place, provider: str) -> None:
    attacker, victim = place.browser(), place.browser()
    callback = callback_of(attacker, provider, email := new_address("attacker"))
    assert is_refused(place, victim.get(callback))
    # Not even where the victim has an attempt of their own under way.
    victim.start(provider)
    assert is_refused(place, victim.get(callback))
    assert victim.who() is None
    # And nothing was used up by it.
    attacker.get(callback)
    assert attacker.who() == email


def test_a_code_of_another_browser_with_ones_own_state_opens_nothing(place: Place) -> None:
    """PKCE: the code is bound to the attempt that asked for it, and so is the nonce."""
    attacker, victim = place.browser(), place.browser()
    stolen = query_of(callback_of(attacker, "google", new_address("attacker")))
    own = query_of(victim.start("google"))["state"]
    query = urlencode({"state": own, "code": stolen["code"], "iss": stolen["iss"]})
    assert is_refused(place, victim.get(f"/auth/google/callback?{query}"))
    assert victim.who() is None


@every_provider
def test_a_state_works_once(place: Place, provider: str) -> None:
    browser = place.browser()
    callback = callback_of(browser, provider, new_address())
    kept = {cookie.name: str(cookie.value) for cookie in browser.session.cookies}
    browser.get(callback)
    assert is_refused(place, browser.get(callback))
    # A thief who has read all of it, cookie included, is too late.
    thief = place.browser()
    thief.session.cookies.update(kept)
    assert is_refused(place, thief.get(callback))
    assert thief.who() is None


@pytest.mark.parametrize("other", ["github", "google", "apple", "twin"])
def test_a_state_of_one_provider_is_nothing_at_another(place: Place, other: str) -> None:
    browser = place.browser()
    callback = callback_of(browser, "facebook", new_address())
    moved = callback.replace("/auth/facebook/", f"/auth/{other}/")
    assert is_refused(place, browser.get(moved))
    assert browser.who() is None


def test_fifty_abandoned_starts_neither_pile_up_nor_break_the_newest(place: Place) -> None:
    browser, email = place.browser(), new_address()
    long = "/account/devices?" + "x" * 150
    questions = [browser.start("google", long) for _ in range(50)]
    prepared = browser.session.prepare_request(requests.Request("GET", f"{place.url}/account"))
    head = "".join(f"{name}: {value!s}\r\n" for name, value in prepared.headers.items())
    assert len(head) < 8192 - 2000
    assert len(browser.attempts()) <= 5
    response = browser.get(browser.answer(questions[0], email=new_address()))
    assert is_refused(place, response)
    response = browser.get(browser.answer(questions[-1], email=email))
    assert response.url == place.url + long
    assert browser.who() == email


def test_two_tabs_do_not_disturb_one_another(place: Place) -> None:
    browser, one, two = place.browser(), new_address(), new_address()
    first, second = browser.start("google", "/account/devices"), browser.start("github")
    assert path_of(browser.get(browser.answer(second, email=two)).url) == "/account"
    assert browser.who() == two
    assert path_of(browser.get(browser.answer(first, email=one)).url) == "/account/devices"
    assert browser.who() == one


def test_an_attempt_ends_after_ten_minutes(place: Place, evil: Evil) -> None:
    for minutes, is_over in ((9, False), (11, True)):
        browser = place.browser()
        state = evil.start(browser)
        serializer = URLSafeTimedSerializer(SECRET, salt="provider oauth_")
        with time_machine.travel(clock.now() - timedelta(minutes=minutes), tick=False):
            value = serializer.dumps(["evil", state, "sign_in", "/account"])
        (name,) = browser.attempts()
        replace_cookie(browser, name, value)
        response = evil.come_back(browser, state)
        assert is_refused(place, response) if is_over else response.status_code == 200


def test_an_attempt_that_somebody_changed_is_none(place: Place, evil: Evil) -> None:
    browser = place.browser()
    state = evil.start(browser)
    (name,) = browser.attempts()
    replace_cookie(browser, name, str(browser.session.cookies[name])[::-1])
    assert is_refused(place, evil.come_back(browser, state))


def replace_cookie(browser: Browser, name: str, value: str) -> None:
    """Put another value into a cookie."""
    cookie = next(cookie for cookie in browser.session.cookies if cookie.name == name)
    cookie.value = value


def test_two_callbacks_at_once_make_one_session(place: Place) -> None:
    email = new_address()
    place.browser().come_from("google", email)
    for _ in range(3):
        browser = place.browser()
        callback = callback_of(browser, "google", email)
        before = count_sessions(place, email)
        barrier = Barrier(4)
        # Two tabs that send the same cookies, and neither waits for the other's.
        jars = [dict(browser.session.cookies) for _ in range(4)]

        def come(jar: dict[str, str], callback: str = callback, barrier: Barrier = barrier) -> int:
            barrier.wait(10)
            return requests.get(
                callback, cookies=jar, allow_redirects=False, timeout=30
            ).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(come, jars))
        assert statuses == [303, 400, 400, 400]
        assert count_sessions(place, email) == before + 1


def count_sessions(place: Place, email: str) -> int:
    """Return how many sign-ins there were to an account."""
    return sum(event == "signed_in" for event, _ in place.events(email))


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "\\evil.example", "https://evil.example/",
     "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
     "data:text/html,x", "///evil.example", "/%0a/evil.example\r\nX: y", "http:evil.example"],
)  # fmt: skip
def test_next_leads_nowhere_but_here(place: Place, target: str) -> None:
    browser = place.browser()
    response = browser.come_from("google", new_address(), target)
    assert path_of(response.url) in ("/account", "/%0a/evil.example")
    assert response.url.startswith(place.url + "/")
    assert all(step.url.startswith(place.url + "/") for step in response.history)
    # Through the detour by a mailed link, too.
    email, detour = new_address(), place.browser()
    detour.come_from("github", email, target, address="unverified")
    detour.submit("/auth/address", email=email)
    link = place.link(email)
    token = link.partition("token=")[2]
    csrf = csrf_token_in(detour.get(link).text)
    done = detour.session.post(
        f"{place.url}/auth/address/confirm", data={"token": token, "csrf_token": csrf},
        headers={"Origin": place.url}, allow_redirects=False, timeout=30,
    )  # fmt: skip
    assert done.headers["Location"] == "/account"


@pytest.mark.parametrize(
    "query",
    ["", "?state=", "?code=x", "?state=x&code=x", "?state=%00&code=%ff", "?error=access_denied",
     "?state=" + "x" * 3000, "?state=../../x&error=<script>", "?user=[[[&state=x",
     "?user={}&state=é"],
)  # fmt: skip
@pytest.mark.parametrize("provider", ["google", "apple", "github", "evil"])
def test_a_strange_callback_is_refused_politely(place: Place, provider: str, query: str) -> None:
    response = place.browser().get(f"/auth/{provider}/callback{query}")
    assert is_refused(place, response)
    assert "<script>" not in response.text.partition("<main")[2].partition("</main>")[0]


def test_a_provider_that_is_not_there_is_not_found(browser: Browser) -> None:
    for path in ("start", "callback"):
        assert browser.get(f"/auth/nobody/{path}").status_code == 404
    assert browser.get("/auth/microsoft/start").status_code == 404


def test_the_cookie_of_an_attempt_is_for_the_server_alone_and_short(browser: Browser) -> None:
    response = browser.get("/auth/google/start", allow_redirects=False)
    (line,) = [
        line for line in response.raw.headers.getlist("Set-Cookie") if line.startswith("oauth_")
    ]
    assert "HttpOnly" in line
    assert "Max-Age=600" in line
    assert "SameSite=Lax" in line
    assert CODE not in line


def test_what_goes_to_the_provider_is_new_each_time_and_bound_by_pkce(browser: Browser) -> None:
    for provider, has_nonce, has_challenge in (
        ("google", True, True), ("apple", True, False), ("github", False, True),
        ("facebook", False, True), ("evil", True, True),
    ):  # fmt: skip
        asked = [query_of(browser.start(provider)) for _ in range(2)]
        for query in asked:
            assert len(query["state"]) >= 43
            assert ("nonce" in query) == has_nonce
            assert (query.get("code_challenge_method") == "S256") == has_challenge
        for name in ("state", "nonce", "code_challenge"):
            values = [query.get(name) for query in asked]
            assert values[0] != values[1] or values == [None, None]
