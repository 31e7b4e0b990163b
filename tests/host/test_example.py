"""The example of a host application, as its own words say to start it, in real processes."""

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import requests

from config import ROOT
from tests.database_kit import CHOSEN
from tests.host.kit import PAGE
from tests.processes.kit import claims_of, wait_until
from tests.support import (
    PASSWORD,
    LiveSite,
    csrf_token_in,
    environment_of,
    find_link,
    live_site,
    migrated_database,
    run_flask,
)

# The site is started once, so the tests of it stay together.
pytestmark = pytest.mark.xdist_group("host example")

EXAMPLE = "examples.host_app.app"
EMAIL = "alice@example.com"


@pytest.fixture(scope="module")
def site(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The example in two workers, with access tokens that expire while one looks."""
    folder = tmp_path_factory.mktemp("example")
    settings = {"ACCESS_TOKEN_EXPIRES": "3s", "REFRESH_GRACE": "2s"}
    with (
        migrated_database(CHOSEN or "sqlite", migrated_file, folder) as url,
        live_site(url, folder, workers=2, serves=f"{EXAMPLE}:app", **settings) as site,
    ):
        yield site


class Browser:
    """Somebody without JavaScript."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers.update(PAGE)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=10)

    def submit(self, page: str, to: str, **fields: str) -> requests.Response:
        """Open a page and send a form of it."""
        token = csrf_token_in(self.get(page).text)
        data = fields | {"csrf_token": token}
        return self.session.post(self.url + to, data=data, timeout=10)


def test_from_sign_up_to_sign_out(site: LiveSite) -> None:
    browser = Browser(site.url)
    assert "Everybody may read this" in browser.get("/").text
    asked = browser.get("/guestbook")
    assert asked.url == f"{site.url}/id/login?next=/guestbook"
    fields = {"email": EMAIL, "password": PASSWORD}
    browser.submit("/id/signup?next=/guestbook", "/id/signup", next="/guestbook", **fields)
    link = find_link(browser.get(f"/id/dev/mailbox?q={EMAIL}").text, "/id/verify-email")
    assert link.startswith(site.url)
    token = link.partition("token=")[2]
    confirmed = browser.submit(f"/id/verify-email?token={token}", "/id/verify-email", token=token)
    assert confirmed.url == f"{site.url}/guestbook"
    assert "Nobody has written yet" in confirmed.text

    written = browser.submit("/guestbook", "/guestbook", text="A bell & a whistle")
    assert "A bell & a whistle" in unescape(written.text)
    stale = csrf_token_in(browser.get("/guestbook").text)
    expires = claims_of(browser.session.cookies["access_token"] or "")["exp"]
    time.sleep(max(0.0, expires - time.time()) + 0.1)
    data = {"text": "After a pause", "csrf_token": stale}
    back = browser.session.post(f"{site.url}/guestbook", data=data, timeout=10)
    assert [reply.status_code for reply in back.history] == [307, 307, 303]
    assert "After a pause" in back.text

    stolen = {"Authorization": f"Bearer {browser.session.cookies['access_token']}"}
    assert requests.get(f"{site.url}/guestbook", headers=stolen, timeout=10).status_code == 200
    out = browser.submit("/", "/id/logout")
    assert out.url == f"{site.url}/id/login?notice=signed_out"
    assert browser.get("/guestbook").url == f"{site.url}/id/login?next=/guestbook"

    def codes() -> set[str]:
        replies = [requests.get(f"{site.url}/guestbook", headers=stolen) for _ in range(10)]
        return {reply.json()["code"] if reply.status_code == 401 else "" for reply in replies}

    # Another worker knows within about a second, and both within two.
    wait_until(lambda: codes() <= {"token_revoked", "token_expired"}, 2)


def test_what_is_not_there_is_the_hosts_to_say(site: LiveSite) -> None:
    assert "Latchkey" not in requests.get(f"{site.url}/nothing", timeout=10).text
    assert "Latchkey" in requests.get(f"{site.url}/id/nothing", timeout=10).text


def test_the_hooks_of_gunicorn_find_the_mailer(database_url: str, tmp_path: Path) -> None:
    with live_site(database_url, tmp_path, workers=2, serves=f"{EXAMPLE}:app") as site:
        requests.get(site.url, timeout=10)
        site.stop()
    log = site.log.read_text()
    assert "Latchkey is at" in log
    assert "Traceback" not in log


def test_it_starts_as_its_own_words_say(tmp_path: Path) -> None:
    words = (ROOT / "examples" / "host_app" / "app.py").read_text().partition('"""')[2]
    command = re.findall(r"^    \.venv/bin/flask (.+)$", words, re.M)[0]
    url = f"sqlite:///{tmp_path}/new.db"
    environment = environment_of(DATABASE_URL=url)
    run_flask(*shlex.split(command), environment=environment)
    made = run_flask(
        *("--app", EXAMPLE, "latchkey", "user", "create", "--email", EMAIL),
        *("--password", PASSWORD),
        environment=environment,
    )
    assert EMAIL in made.stdout
    assert re.search(rf"^    \.venv/bin/gunicorn {re.escape(EXAMPLE)}:app$", words, re.M)
    # As a program of its own, too, which does not look for modules where it stands.
    program = shutil.which("flask", path=str(ROOT / ".venv" / "bin"))
    if program:
        done = subprocess.run(
            [program, "--app", EXAMPLE, "latchkey", "user", "list"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert EMAIL in done.stdout
