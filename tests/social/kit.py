"""What these tests share: browsers at a site that runs, and the people who come from providers."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from apiflask import APIFlask

from config import Settings
from tests.support import PASSWORD, LiveSite, csrf_token_in, parts_of, token_in
from webapp.stores import audit, identities, outbox, users
from webapp.stores.identities import LinkedIdentity
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account

ALL = ("google", "apple", "facebook", "github")
API = "/api/v1/auth"
APPLE = "https://appleid.apple.com"
PATIENCE = 60

T = TypeVar("T")


@dataclass
class Browser:
    """Somebody's browser at a site, and at the providers that the site plays itself."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    # What a test was shown last, where it says so.
    last: requests.Response = field(default_factory=requests.Response, repr=False)

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        """Open a page, following redirects unless told otherwise."""
        return self.session.get(urljoin(self.url, path), timeout=PATIENCE, **kwargs)

    def submit(self, page: str, to: str = "", **fields: str) -> requests.Response:
        """Open a page and send its form."""
        shown = self.get(page)
        data = fields | {"csrf_token": csrf_token_in(shown.text)}
        target = urljoin(self.url, to or page)
        return self.session.post(target, data=data, headers={"Origin": self.url}, timeout=PATIENCE)

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Knock at the JSON door as Angular does."""
        token = self.session.cookies.get("XSRF-TOKEN")
        headers = {"Origin": self.url} | ({"X-XSRF-TOKEN": token} if token else {})
        return self.session.request(
            method, f"{self.url}{API}/{path}", json=body, headers=headers, timeout=PATIENCE
        )

    def start(self, provider: str, target: str = "", intent: str = "") -> str:
        """Press a provider's button; return where one is sent."""
        query = {name: text for name, text in (("next", target), ("intent", intent)) if text}
        path = f"/auth/{provider}/start?{urlencode(query)}"
        response = self.get(path, allow_redirects=False)
        assert response.status_code == 303, response.text
        return response.headers["Location"]

    def answer(self, question: str, **fields: str) -> str:
        """Answer at a provider that the site plays; return the address that this leads back to.

        Apple's form is posted across sites, and so comes without any cookie.
        """
        shown = self.get(question)
        sent = {"person": "typed", "address": "verified", "answer": "continue"} | fields
        data = sent | {"csrf_token": csrf_token_in(shown.text)}
        response = self.session.post(
            question, data=data, headers={"Origin": self.url},
            allow_redirects=False, timeout=PATIENCE,
        )  # fmt: skip
        if response.status_code == 200:
            response = post_across(*form_in(response.text))
        assert response.status_code == 303, response.text
        return urljoin(self.url, response.headers["Location"])

    def come_from(
        self, provider: str, email: str, target: str = "", intent: str = "", **fields: str
    ) -> requests.Response:
        """Go to a provider, be somebody there, come back, and go on to wherever that leads."""
        question = self.start(provider, target, intent)
        sent = {"email": email, "name": "Ann Lee", "first_time": "y"} | fields
        return self.get(self.answer(question, **sent))

    def sign_in(self, email: str, password: str = PASSWORD, target: str = "") -> requests.Response:
        """Sign in with a password."""
        page = "/login" + (f"?{urlencode({'next': target})}" if target else "")
        return self.submit(page, email=email, password=password, remember="y", next=target)

    def who(self) -> str | None:
        """Return the address of whoever is signed in, or None."""
        response = self.get(f"{API}/me")
        return str(response.json()["email"]) if response.status_code == 200 else None

    def me(self) -> dict[str, Any]:
        """Return what the JSON door says about whoever is signed in."""
        response = self.get(f"{API}/me")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def connected(self) -> list[str]:
        """Return what is connected with one's account."""
        return [item["provider"] for item in self.get(f"{API}/identities").json()["data"]]

    def attempts(self) -> list[str]:
        """Return the names of the cookies of this browser's attempts, the newest last."""
        return [cookie.name for cookie in self.session.cookies if cookie.name.startswith("oauth_")]


@dataclass
class Place:
    """A site that runs, and an application on the same database to look inside with."""

    site: LiveSite
    inside: APIFlask

    @property
    def url(self) -> str:
        """Where it is."""
        return self.site.url

    @property
    def settings(self) -> Settings:
        """What it is told, as far as the providers go that it plays itself."""
        return parts_of(self.inside).settings

    def browser(self) -> Browser:
        """Return a browser with nothing in it."""
        return Browser(self.site.url)

    def look(self, work: Callable[[], T]) -> T:
        """Read something from the store."""
        with self.inside.app_context():
            return read(work)

    def change(self, work: Callable[[], T]) -> T:
        """Change something in the store."""
        with self.inside.app_context():
            return transact(work)

    def account(self, email: str) -> Account | None:
        """Return somebody's account, if there is one."""
        return self.look(lambda: users.find_by_email(email))

    def known(self, email: str) -> Account:
        """Return somebody's account."""
        found = self.account(email)
        assert found
        return found

    def identities(self, email: str) -> list[LinkedIdentity]:
        """Return what signs in to somebody's account."""
        user_id = self.known(email).id
        return self.look(lambda: identities.all_of(user_id))

    def mails(self, email: str, template: str) -> list[outbox.Message]:
        """Return the mail of one kind to somebody, newest first."""
        found = self.look(lambda: outbox.latest(1000))
        return [mail for mail in found if (mail.recipient, mail.template) == (email, template)]

    def link(self, email: str, template: str = "prove_address") -> str:
        """Return the link in the newest mail of one kind to somebody."""
        lines = self.mails(email, template)[0].text.split()
        return next(word for word in lines if "?token=" in word)

    def events(self, email: str) -> list[tuple[str, str]]:
        """Return what the audit trail says about somebody: events and details, newest first."""
        user_id = self.known(email).id
        found = self.look(lambda: audit.latest_of(user_id, 100))
        return [(event.event, event.detail) for event in found]

    def log_of(self, response: requests.Response) -> str:
        """Return the lines of the log about a request, by the number that its page shows."""
        number = response.headers["X-Request-Id"]
        assert number in response.text
        lines = self.site.log.read_text().splitlines()
        return "\n".join(line for line in lines if number in line)


def new_address(name: str = "p") -> str:
    """Return an address that nobody has used yet."""
    return f"{name}-{secrets.token_hex(5)}@example.org"


def make_account(place: Place, email: str, password: str = PASSWORD) -> None:
    """Sign somebody up and have them prove their address."""
    browser = place.browser()
    sent = {"email": email, "password": password}
    assert browser.call("POST", "signup", sent).ok
    token = token_in(place.link(email, "verify_email"))
    assert browser.call("POST", "email/verify", {"token": token}).status_code == 204


def prove(browser: Browser, link: str) -> requests.Response:
    """Open a mailed link and press its button."""
    return browser.submit(link, "/auth/address/confirm", token=token_in(link))


def press(browser: Browser, link: str) -> requests.Response:
    """Press the button of a link's page without ever having seen it."""
    token = token_in(link)
    return browser.submit("/forgot-password", "/auth/address/confirm", token=token)


def post_across(url: str, fields: dict[str, str], origin: str = APPLE) -> requests.Response:
    """Post a form as a browser does from another site: without cookies that are Lax."""
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    return requests.post(url, data=fields, headers=headers, allow_redirects=False, timeout=PATIENCE)


def form_in(html: str) -> tuple[str, dict[str, str]]:
    """Return where a page's form goes, and its hidden fields."""
    action = re.search(r'<form[^>]*action="([^"]+)"', html)
    assert action, html
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html)
    return unescape(action[1]), {name: unescape(value) for name, value in found}


def heading_of(response: requests.Response) -> str:
    """Return a page's heading."""
    match = re.search(r"<h1>(.*?)</h1>", response.text)
    assert match, response.text
    return unescape(match[1])


def path_of(url: str) -> str:
    """Return the path of an address."""
    return urlsplit(url).path


def query_of(url: str) -> dict[str, str]:
    """Return what an address says after its question mark."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
