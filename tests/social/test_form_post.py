"""Apple's reply, which comes as a form from another site and so without any cookie of ours."""

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests

from tests.social.kit import (
    ALL,
    Browser,
    Place,
    form_in,
    heading_of,
    new_address,
    path_of,
    post_across,
    query_of,
)
from tests.support import csrf_token_in, live_site

pytestmark = pytest.mark.xdist_group("social")
ORIGINS = ["https://appleid.apple.com", "null", "https://evil.example"]


def apples_form(browser: Browser, email: str, **fields: str) -> tuple[str, dict[str, str]]:
    """Return the form that Apple's page posts, and where to."""
    question = browser.start("apple", "/account/devices")
    shown = browser.get(question)
    data = {
        "person": "typed", "address": "verified", "answer": "continue", "name": "Ann Lee",
        "email": email, "first_time": "y", "csrf_token": csrf_token_in(shown.text),
    }  # fmt: skip
    response = browser.session.post(
        question, data=data | fields, headers={"Origin": browser.url}, timeout=30
    )
    return form_in(response.text)


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_form_is_turned_into_a_get_and_does_nothing_itself(
    place: Place, browser: Browser, origin: str
) -> None:
    email = new_address()
    url, fields = apples_form(browser, email)
    posted = post_across(url, fields, origin)
    assert posted.status_code == 303
    assert "Set-Cookie" not in posted.headers
    target = posted.headers["Location"]
    assert path_of(target) == "/auth/apple/callback"
    assert query_of(target) == fields
    assert place.account(email) is None
    # Without the browser's cookies the GET does nothing, either.
    assert requests.get(urljoin(place.url, target), timeout=30).status_code == 400
    assert place.account(email) is None
    response = browser.get(target)
    assert response.url == f"{place.url}/account/devices"
    assert browser.me()["name"] == "Ann Lee"


def test_cookies_that_come_along_change_nothing(place: Place, browser: Browser) -> None:
    email = new_address()
    url, fields = apples_form(browser, email)
    headers = {"Origin": "https://appleid.apple.com", "Sec-Fetch-Site": "cross-site"}
    response = browser.session.post(
        url, data=fields, headers=headers, allow_redirects=False, timeout=30
    )
    assert response.status_code == 303
    assert browser.who() is None
    assert place.account(email) is None


def test_what_else_is_in_the_form_does_not_come_along(place: Place) -> None:
    given = {"state": "x", "code": "y", "id_token": "z", "next": "//evil.example", "again": "1"}
    posted = post_across(f"{place.url}/auth/apple/callback", given)
    assert query_of(posted.headers["Location"]) == {"state": "x", "code": "y"}
    assert posted.headers["Location"].startswith("/auth/apple/callback?")


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_other_route_takes_a_form_from_elsewhere(place: Place, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    for path in (
        "/login", "/signup", "/auth/address", "/auth/address/confirm",
        "/account/connections/link", "/account/connections/apple/unlink",
        "/api/v1/auth/apple/login", "/api/v1/auth/identities/apple",
    ):  # fmt: skip
        response = requests.post(
            place.url + path, headers=headers, allow_redirects=False, timeout=30,
            json={} if path.startswith("/api") else None,
        )  # fmt: skip
        assert response.status_code == 403, path


@pytest.mark.parametrize(
    "user",
    ["", "null", "[]", "{", '{"name": null}', '{"name": "Ann"}', '{"name": {"firstName": 7}}',
     '{"name": {"firstName": ["x"], "lastName": {}}}', "[" * 300,
     '{"name": {"firstName": "\\u0000", "lastName": "\\u202e"}}'],
    ids=range(10),
)  # fmt: skip
def test_a_strange_name_is_no_name(place: Place, user: str) -> None:
    """What stands beside the code is not signed: a browser can write anything there."""
    browser, email = place.browser(), new_address()
    url, fields = apples_form(browser, email)
    posted = post_across(url, fields | {"user": user})
    response = browser.get(posted.headers["Location"])
    assert response.status_code == 200, response.text
    assert browser.who() == email
    assert place.known(email).name == ""


def test_a_name_beside_the_code_decides_nothing_but_the_name(place: Place) -> None:
    browser, email = place.browser(), new_address()
    url, fields = apples_form(browser, email)
    user = '{"name": {"firstName": "Mal", "lastName": "Ory"}, "email": "boss@example.org"}'
    browser.get(post_across(url, fields | {"user": user}).headers["Location"])
    assert browser.me()["email"] == email
    assert browser.me()["name"] == "Mal Ory"


@pytest.fixture(scope="module")
def strict_place(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A site whose cookies no other site's link brings along."""
    folder = tmp_path_factory.mktemp("strict")
    url = place.site.environment["DATABASE_URL"]
    given = {"FAKE_PROVIDERS": ",".join(ALL), "COOKIE_SAMESITE": "Strict"}
    with live_site(url, folder, 1, **given) as site:
        yield Place(site, place.inside)


@pytest.mark.parametrize("provider", ALL)
def test_with_strict_cookies_the_browser_comes_again_from_our_own_page(
    strict_place: Place, provider: str
) -> None:
    browser, email = strict_place.browser(), new_address()
    callback = browser.answer(browser.start(provider, "/account/devices"), email=email)
    # What a browser sends when it comes from another site.
    first = requests.get(callback, allow_redirects=False, timeout=30)
    assert first.status_code == 200
    assert "Set-Cookie" not in first.headers
    again = refresh_of(first)
    assert path_of(again) == f"/auth/{provider}/callback"
    assert browser.get(again).url == f"{strict_place.url}/account/devices"
    assert browser.who() == email


def refresh_of(response: requests.Response) -> str:
    """Return where a page sends the browser by itself."""
    content = response.text.partition('http-equiv="refresh" content="0; url=')[2]
    return content.partition('"')[0].replace("&amp;", "&")


def test_with_strict_cookies_nobody_elses_attempt_is_taken(strict_place: Place) -> None:
    attacker, victim = strict_place.browser(), strict_place.browser()
    callback = attacker.answer(attacker.start("google"), email=new_address())
    response = victim.get(callback + "&again=1")
    assert response.status_code == 400
    assert heading_of(response) == "Not signed in with Google"
    assert victim.who() is None
