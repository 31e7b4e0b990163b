"""What the tests of users, people and the admin pages are made of: accounts, and who asks."""

from dataclasses import dataclass
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.account_kit import AccountPages, account_of
from tests.doors.probes import SHELL, bearer, sign_in_by_bearer
from tests.doors_kit import PagesDoor
from tests.support import PASSWORD
from webapp.features.users import flow
from webapp.features.users.flow import Change

ADMIN, USER, OTHER = "admin@example.com", "user@example.com", "other@example.com"
API = "/api/v1"


def make(
    app: APIFlask, email: str, *roles: str, name: str = "", password: str | None = PASSWORD
) -> str:
    """Make an account whose address is proved and return its id."""
    with app.app_context():
        command = flow.NewUser(email, password, roles, is_verified=True, name=name)
        return flow.create_user(command, SHELL).id


def change(app: APIFlask, email: str, **what: Any) -> None:
    """Change somebody's account, at the shell."""
    with app.app_context():
        flow.change_user(account_of(app, email).id, Change(**what), SHELL)


@dataclass(frozen=True)
class Caller:
    """Somebody who asks the JSON door by bearer, or nobody."""

    client: FlaskClient
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None) -> TestResponse:
        """Send a request and return the reply."""
        return self.client.open(API + path, method=method, json=body, headers=self.headers)

    def get(self, path: str) -> Any:
        """Return what a route gives, which has to work."""
        response = self.ask("GET", path)
        assert response.status_code == 200, response.text
        return response.get_json()


def caller(app: APIFlask, email: str = "") -> Caller:
    """Sign somebody in by bearer, or be nobody."""
    client = app.test_client(use_cookies=False)
    return Caller(client, bearer(sign_in_by_bearer(client, email)["access_token"]) if email else {})


def browser(app: APIFlask, email: str) -> PagesDoor:
    """Sign somebody in on the pages."""
    door = AccountPages(app)
    assert door.sign_in(email).is_fine
    return door
