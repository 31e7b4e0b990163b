"""A static site behind a real nginx that asks Latchkey first: examples/nginx as it stands."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from config import ROOT
from tests.processes.kit import (
    bearer,
    claims_of,
    create_user,
    sign_in_at,
    wait_until,
)
from tests.processes.nginx_kit import nginx
from tests.support import PASSWORD, LiveSite, csrf_token_in, free_port, live_site

pytestmark = pytest.mark.xdist_group("nginx")

ALICE = "alice@example.com"
EXAMPLE = ROOT / "examples" / "nginx"


@dataclass
class Protected:
    """The site as browsers reach it, and Latchkey behind it."""

    url: str
    latchkey: LiveSite


@contextmanager
def protected_site(database: Path, folder: Path, **variables: str) -> Iterator[Protected]:
    """Run Latchkey with two workers, and nginx in front with the example's own configuration."""
    shutil.copy(database, folder / "latchkey.db")
    port = free_port()
    front = f"http://localhost:{port}"
    variables = {"BASE_URL": front, "TRUSTED_PROXIES": "1"} | variables
    with live_site(f"sqlite:///{folder}/latchkey.db", folder, 2, **variables) as site:
        create_user(site, ALICE)
        prefix = folder / "nginx"
        shutil.copytree(EXAMPLE, prefix)
        text = (EXAMPLE / "nginx.conf").read_text()
        assert ("127.0.0.1:5000" in text, "127.0.0.1:8080" in text) == (True, True)
        behind = site.url.rpartition(":")[2]
        text = text.replace("127.0.0.1:5000", f"127.0.0.1:{behind}")
        (prefix / "nginx.conf").write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
        with nginx(prefix, port):
            yield Protected(front, site)


@pytest.fixture(scope="module")
def site(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protected]:
    """The protected site that most tests share."""
    with protected_site(migrated_file, tmp_path_factory.mktemp("nginx")) as site:
        yield site


def sign_in(site: Protected, browser: requests.Session, path: str = "/docs/") -> requests.Response:
    """Ask for a page, be led to the sign-in page, and come back signed in."""
    asked = browser.get(site.url + path, timeout=30)
    assert asked.url.startswith(site.url + "/login?next=")
    form = {"email": ALICE, "password": PASSWORD, "csrf_token": csrf_token_in(asked.text)}
    return browser.post(asked.url, data=form | {"next": next_of(asked.text)}, timeout=30)


def next_of(page: str) -> str:
    """Return where the sign-in form leads on to, as the form says it."""
    found = re.search(r'name="next"[^>]*value="([^"]*)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_a_stranger_signs_in_and_comes_back(site: Protected) -> None:
    with requests.Session() as browser:
        refused = browser.get(site.url + "/docs/", allow_redirects=False, timeout=30)
        assert refused.status_code == 302
        assert refused.headers["Location"] == f"{site.url}/login?next=/docs/"
        assert refused.headers["Cache-Control"] == "no-store"
        assert "Handbook" not in refused.text

        back = sign_in(site, browser, "/docs/more.html?a=1&b=2")
        assert (back.status_code, back.url) == (200, site.url + "/docs/more.html?a=1&b=2")
        assert "One more page" in back.text
        me = browser.get(site.url + "/api/v1/auth/me", timeout=30).json()
        assert back.headers["X-Seen-By"] == me["id"]
        assert back.headers["Cache-Control"] == "private, no-cache"


def test_whoever_signs_out_is_out(site: Protected) -> None:
    with requests.Session() as browser:
        assert "Handbook" in sign_in(site, browser).text
        page = browser.get(site.url + "/logout", timeout=30).text
        copied = {cookie.name: cookie.value or "" for cookie in browser.cookies}
        form = {"csrf_token": csrf_token_in(page)}
        assert browser.post(site.url + "/logout", data=form, timeout=30).status_code == 200

    def answer() -> int:
        # Whoever has copied the cookies is out, too.
        url = site.url + "/docs/"
        return requests.get(url, cookies=copied, allow_redirects=False, timeout=30).status_code

    wait_until(lambda: answer() == 302, 3)


def test_an_expired_access_token_comes_back_by_itself(migrated_file: Path, tmp_path: Path) -> None:
    with (
        protected_site(migrated_file, tmp_path, ACCESS_TOKEN_EXPIRES="2s") as site,
        requests.Session() as browser,
    ):
        sign_in(site, browser)
        expires = claims_of(browser.cookies["access_token"] or "")["exp"]
        time.sleep(max(0.0, expires - time.time()) + 0.1)
        again = browser.get(site.url + "/docs/more.html?a=1&b=2", timeout=30)
        assert (again.status_code, again.url) == (200, site.url + "/docs/more.html?a=1&b=2")
        assert "One more page" in again.text
        assert [step.status_code for step in again.history] == [302, 302]
        assert "/api/v1/auth/refresh/return?next=" in again.history[1].url


def test_a_program_shows_its_token(site: Protected) -> None:
    tokens = sign_in_at(site.latchkey, ALICE)
    url = site.url + "/docs/"
    let_in = requests.get(url, headers=bearer(tokens.access), timeout=30)
    assert (let_in.status_code, "Handbook" in let_in.text) == (200, True)
    assert let_in.headers["X-Seen-By"] == claims_of(tokens.access)["sub"]
    for token in (tokens.refresh, tokens.access[:-5], "x"):
        refused = requests.get(url, headers=bearer(token), allow_redirects=False, timeout=30)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_nobody_says_who_they_are_by_themselves(site: Protected) -> None:
    url = site.url + "/docs/"
    forged = {"X-Auth-User": "root", "X-Auth-Redirect": "https://evil.example/", "X-Way-In": "x"}
    refused = requests.get(url, headers=forged, allow_redirects=False, timeout=30)
    assert refused.headers["Location"].startswith(site.url)
    tokens = sign_in_at(site.latchkey, ALICE)
    let_in = requests.get(url, headers=forged | bearer(tokens.access), timeout=30)
    assert let_in.headers["X-Seen-By"] == claims_of(tokens.access)["sub"]
    assert requests.get(site.url + "/check", timeout=30).status_code == 404


def test_what_another_site_had_a_browser_send_is_refused(site: Protected) -> None:
    """nginx answers 405 to a form for a static page: it has been let through by then."""
    url = site.url + "/docs/"
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    own = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    hidden = foreign | {"X-Original-Method": "GET", "X-Forwarded-Method": "GET"}
    with requests.Session() as browser:
        sign_in(site, browser)
        answers = [
            browser.post(url, headers=headers, data={"a": "b"}, timeout=30).status_code
            for headers in (own, foreign, hidden, {})
        ]
        assert answers == [405, 403, 403, 405]
        assert browser.get(url, headers=foreign, timeout=30).status_code == 200
    anonymous = requests.post(url, headers=own, allow_redirects=False, timeout=30)
    assert (anonymous.status_code, "Location" in anonymous.headers) == (401, False)


def test_while_latchkey_is_down_nobody_is_let_in(migrated_file: Path, tmp_path: Path) -> None:
    with protected_site(migrated_file, tmp_path) as site:
        token = sign_in_at(site.latchkey, ALICE).access
        assert requests.get(site.url + "/docs/", headers=bearer(token), timeout=30).ok
        site.latchkey.stop()
        reply = requests.get(site.url + "/docs/", headers=bearer(token), timeout=30)
        assert reply.status_code >= 500
        assert "Handbook" not in reply.text
