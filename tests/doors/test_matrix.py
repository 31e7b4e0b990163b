"""Every role at every route, method and door, from the URL map: nobody comes in who may not."""

from dataclasses import dataclass

import pytest
from apiflask import APIFlask

from tests.account_kit import account_of
from tests.admin_kit import ADMIN, OTHER, USER, Caller, browser, caller, change, make
from tests.conftest import MakeApp
from tests.doors.probes import execute, query
from tests.doors_kit import PagesDoor
from webapp.doors.guards import is_public

UNPROVED, SHUT = "unproved@example.com", "shut@example.com"

# What takes the role admin, whatever the code says: a guard that is lost is noticed here.
ADMINS_ALONE = {
    ("POST", "/api/v1/users"),
    ("DELETE", "/api/v1/people/<person_id>"),
    ("GET", "/people/<person_id>/delete"),
    ("POST", "/people/<person_id>/delete"),
}
# What takes it where one may see the account; as it is not there, these are 404.
HIDDEN = {
    ("GET", "/api/v1/users/<user_id>"),
    ("PATCH", "/api/v1/users/<user_id>"),
    ("DELETE", "/api/v1/users/<user_id>"),
    ("POST", "/api/v1/users/<user_id>/password-reset"),
    ("DELETE", "/api/v1/auth/sessions/<session_id>"),
}
# About a provider that is not connected with the account, or not set up: 404, once signed in.
UNCONNECTED = {
    ("POST", "/account/connections/link"),
    ("GET", "/account/connections/<provider_id>/unlink"),
    ("POST", "/account/connections/<provider_id>/unlink"),
    ("POST", "/api/v1/auth/identities/<provider_id>"),
    ("DELETE", "/api/v1/auth/identities/<provider_id>"),
}
LISTS = {("GET", "/api/v1/users")}
# These are marked as public, since a setting opens them, and hold to the rule by themselves.
BY_SETTING = {("GET", "/api/v1/users"), ("GET", "/api/v1/users/<user_id>")}
EVERYBODYS = ("static", "openapi.spec")


@dataclass(frozen=True)
class Route:
    """One route and one method, and the path that stands for it here."""

    method: str
    rule: str
    path: str

    @property
    def is_json(self) -> bool:
        return self.rule.startswith("/api/")

    @property
    def is_for_admins(self) -> bool:
        return (self.method, self.rule) in ADMINS_ALONE | LISTS or self.rule.startswith("/admin")


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """An application with somebody in every role; the address of one is not proved."""
    app = make_app(email_verification="optional")
    make(app, ADMIN, "admin")
    for email in (USER, OTHER, UNPROVED, SHUT):
        make(app, email)
    execute(app, "UPDATE users SET email_verified_at = NULL WHERE email = :one", one=UNPROVED)
    caller(app, OTHER)
    assert caller(app, ADMIN).ask("POST", "/users", {"email": "n@example.com"}).status_code == 201
    caller(app, USER).ask("POST", "/people", {"first_name": "A", "last_name": "B"})
    return app


def routes(app: APIFlask) -> list[Route]:
    """Return every route that is not for everybody, about things that are somebody else's."""
    other = account_of(app, OTHER).id
    things = {
        "<user_id>": other,
        "<session_id>": query(app, "SELECT id FROM sessions WHERE user_id = :u", u=other)[0][0],
        "<message_id>": query(app, "SELECT id FROM outbox")[0][0],
        "<person_id>": query(app, "SELECT id FROM people")[0][0],
        "<provider_id>": "google",
    }
    found = []
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            is_open = rule.endpoint in EVERYBODYS or is_public(app.view_functions[rule.endpoint])
            if is_open and (method, rule.rule) not in BY_SETTING:
                continue
            path = rule.rule
            for name, value in things.items():
                path = path.replace(name, value)
            assert "<" not in path, path
            found.append(Route(method, rule.rule, path))
    return found


def knock(app: APIFlask, route: Route, who: Caller, door: PagesDoor) -> tuple[int, str]:
    """Send one request, with a body that gets no further than the guards."""
    if route.is_json:
        body: dict[str, str] | None = (
            {} if route.method in ("POST", "PUT", "PATCH", "DELETE") else None
        )
        response = who.ask(route.method, route.path.removeprefix("/api/v1"), body)
        return response.status_code, str((response.get_json(silent=True) or {}).get("code"))
    data = {"csrf_token": door.cookie("XSRF-TOKEN") or ""} if route.method == "POST" else None
    response = door.client.open(route.path, method=route.method, data=data)
    return response.status_code, response.headers.get("Location", "")


def test_there_is_a_matrix(app: APIFlask) -> None:
    found = routes(app)
    assert len(found) > 60
    assert {route.is_json for route in found} == {True, False}
    known = {(route.method, route.rule) for route in found}
    assert known >= ADMINS_ALONE | HIDDEN | LISTS
    assert len([route for route in found if route.is_for_admins]) > 20


def test_nobody_comes_in(app: APIFlask) -> None:
    for route in routes(app):
        status, says = knock(app, route, caller(app), PagesDoor(app))
        if route.is_json:
            assert (status, says) == (401, "not_signed_in"), route
        else:
            assert status == 303, route
            assert says.startswith("/login?next=/"), route


def test_whoever_is_shut_out_while_signed_in_does_not_come_in(app: APIFlask) -> None:
    who, door = caller(app, SHUT), browser(app, SHUT)
    change(app, SHUT, is_disabled=True)
    for route in routes(app):
        status, says = knock(app, route, who, door)
        if route.is_json:
            assert (status, says) == (401, "token_revoked"), route
        else:
            assert (status, says[:6]) == (303, "/login"), route


@pytest.mark.parametrize("email", [USER, UNPROVED])
def test_a_user_comes_in_but_to_what_is_for_admins(app: APIFlask, email: str) -> None:
    for route in routes(app):
        status, says = knock(app, route, caller(app, email), browser(app, email))
        if route.is_for_admins:
            assert status == 403, route
            assert says in ("forbidden", ""), route
        elif (route.method, route.rule) in HIDDEN:
            assert (status, says) == (404, "not_found"), route
        elif (route.method, route.rule) in UNCONNECTED:
            assert status == 404, route
        else:
            assert status not in (401, 403, 404, 405), (route, says)
            assert not says.startswith(("/login?", "/reauthenticate")), route


def test_an_admin_comes_in_everywhere_but_to_others_own(app: APIFlask) -> None:
    own = {("DELETE", "/api/v1/auth/sessions/<session_id>")} | UNCONNECTED
    for route in routes(app):
        if route.method == "DELETE" and route.rule.endswith(("<user_id>", "<person_id>")):
            continue  # What goes away would be missing for the next; test_users and test_people.
        if route.rule.endswith(("/delete", "/retry")) and route.method == "POST":
            continue
        status, says = knock(app, route, caller(app, ADMIN), browser(app, ADMIN))
        expected = (
            (status == 404)
            if (route.method, route.rule) in own
            else status not in (*(401, 403, 404, 405),)
        )
        assert expected, (route, status, says)
        assert not says.startswith(("/login?next", "/reauthenticate")), route


def test_every_action_of_an_admin_asks_for_a_recent_sign_in(app: APIFlask) -> None:
    door = browser(app, ADMIN)
    execute(app, "UPDATE sessions SET authenticated_at = '2020-01-01 00:00:00.000000'")
    door.refresh()
    actions = [r for r in routes(app) if r.rule.startswith("/admin/") and r.method == "POST"]
    assert len(actions) > 8
    for route in actions:
        status, says = knock(app, route, caller(app), door)
        assert (status, says[:16]) == (307, "/reauthenticate?"), route
    assert account_of(app, OTHER).disabled_at is None
    assert caller(app, OTHER).ask("GET", "/auth/me").status_code == 200
