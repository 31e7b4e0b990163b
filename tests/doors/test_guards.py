"""Guards: for one view, for a blueprint, for a whole application, and none forgotten."""

from collections.abc import Callable

import pytest
from apiflask import APIFlask
from flask import Blueprint, Flask, Response, jsonify
from flask.testing import FlaskClient

from tests.account_kit import ALICE, account_of, later
from tests.doors.probes import bearer, create_user, sign_in_by_bearer
from tests.doors.test_statements import statements
from tests.doors_kit import JsonDoor
from webapp.doors.guards import (
    Guard,
    guard,
    guards_of,
    is_public,
    public,
    requires_recent_sign_in,
    requires_role,
    requires_verified_email,
    signed_in,
)
from webapp.features.users import flow
from webapp.features.users.flow import Change
from webapp.services.client import Client

SHELL = Client(ip="", user_agent="a test")

# Endpoints that no view of ours answers at, and that everybody may see.
EVERYBODYS = {"static", "openapi.spec"}


def fine() -> Response:
    return jsonify(status="fine")


def test_every_route_has_a_guard_or_is_marked_as_public(app: APIFlask) -> None:
    forgotten = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in EVERYBODYS
        and not guards_of(app, rule.endpoint)
        and not is_public(app.view_functions[rule.endpoint])
    ]
    assert forgotten == []


def test_a_forgotten_guard_would_be_noticed(app: APIFlask) -> None:
    app.add_url_rule("/forgotten", "forgotten", fine)
    assert guards_of(app, "forgotten") == ()
    assert not is_public(fine)


def test_no_view_is_public_and_guarded(app: APIFlask) -> None:
    """One of the two would be a slip of the hand."""
    both = [name for name, view in app.view_functions.items() if is_public(view)]
    assert [name for name in both if hasattr(app.view_functions[name], "latchkey_guards")] == []


GUARDS = {
    "signed-in": signed_in,
    "admin": requires_role("admin"),
    "verified": requires_verified_email,
    "recent": requires_recent_sign_in(minutes=10),
}


@pytest.fixture
def guarded(app: APIFlask) -> APIFlask:
    """The application with a page and a JSON view behind each guard, and Alice's account."""
    for name, each in GUARDS.items():
        for path in (f"/test/{name}", f"/api/v1/test/{name}"):
            app.add_url_rule(path, path, each(public_copy(fine)), methods=["GET", "POST"])
    create_user(app)
    return app


def public_copy(view: Callable[[], Response]) -> Callable[[], Response]:
    """Return another function that does the same, so that marks do not meet."""

    def copy() -> Response:
        return view()

    return copy


def statuses(client: FlaskClient, name: str, **options: object) -> tuple[int, int]:
    """Return what the page and the JSON view behind a guard answer."""
    page = client.get(f"/test/{name}", **options)
    json = client.get(f"/api/v1/test/{name}", **options)
    return page.status_code, json.status_code


@pytest.mark.parametrize("name", GUARDS)
def test_nobody_is_sent_to_sign_in_or_told_to(guarded: APIFlask, name: str) -> None:
    client = guarded.test_client()
    assert client.get(f"/test/{name}?a=b").location == f"/login?next=/test/{name}%3Fa%3Db"
    reply = client.get(f"/api/v1/test/{name}")
    assert (reply.status_code, reply.get_json()["code"]) == (401, "not_signed_in")
    assert reply.mimetype == "application/problem+json"


def test_everybody_with_an_account_comes_in_but_to_a_role(guarded: APIFlask) -> None:
    door = JsonDoor(guarded)
    assert door.sign_in(ALICE).is_fine
    assert statuses(door.client, "signed-in") == (200, 200)
    assert statuses(door.client, "verified") == (200, 200)
    assert statuses(door.client, "recent") == (200, 200)
    assert statuses(door.client, "admin") == (403, 403)
    assert door.client.get("/api/v1/test/admin").get_json()["code"] == "forbidden"


def test_a_role_lets_in(guarded: APIFlask) -> None:
    with guarded.app_context():
        flow.change_user(account_of(guarded).id, Change(roles=("admin",)), SHELL)
    door = JsonDoor(guarded)
    assert door.sign_in(ALICE).is_fine
    assert statuses(door.client, "admin") == (200, 200)


def test_an_address_that_is_not_proved_does_not_come_in(make_app: Callable[..., APIFlask]) -> None:
    app = make_app(email_verification="optional")
    for path in ("/test", "/api/v1/test"):
        app.add_url_rule(path, path, requires_verified_email(public_copy(fine)))
    door = JsonDoor(app)
    assert door.sign_up(ALICE).status == 201
    assert door.client.get("/test").status_code == 403
    assert "Confirm your email address first" in door.client.get("/test").text
    assert door.client.get("/api/v1/test").get_json()["code"] == "email_not_verified"
    assert door.verify(door.mailed_token(ALICE)).is_fine
    assert door.client.get("/test").status_code == 200
    assert door.client.get("/api/v1/test").status_code == 200


def test_a_sign_in_of_long_ago_is_asked_for_the_password(guarded: APIFlask) -> None:
    client = guarded.test_client()
    assert JsonDoor(guarded).sign_in(ALICE).is_fine
    token = sign_in_by_bearer(client)["access_token"]
    with later(minutes=9, seconds=50):
        assert statuses(client, "recent", headers=bearer(token)) == (200, 200)
    with later(minutes=10, seconds=5):
        assert statuses(client, "recent", headers=bearer(token)) == (302, 401)
        page = client.get("/test/recent", headers=bearer(token))
        assert page.location == "/reauthenticate?next=/test/recent"
        form = client.post("/test/recent", headers=bearer(token))
        assert (form.status_code, form.location) == (307, page.location + "&again=1")
        reply = client.get("/api/v1/test/recent", headers=bearer(token))
        assert reply.get_json()["code"] == "reauthentication_required"


def test_other_minutes_are_other_minutes(app: APIFlask) -> None:
    app.add_url_rule("/api/v1/test", "test", requires_recent_sign_in(minutes=1)(fine))
    create_user(app)
    token = bearer(sign_in_by_bearer(app.test_client())["access_token"])
    with later(seconds=50):
        assert app.test_client().get("/api/v1/test", headers=token).status_code == 200
    with later(seconds=65):
        assert app.test_client().get("/api/v1/test", headers=token).status_code == 401


@pytest.mark.parametrize("name", ["signed-in", "admin", "recent"])
def test_a_guard_takes_no_sql(guarded: APIFlask, name: str) -> None:
    door = JsonDoor(guarded)
    door.sign_in(ALICE)
    statuses(door.client, name)
    with statements(guarded) as found:
        statuses(door.client, name)
    assert found == []


def test_an_address_known_as_proved_takes_one(guarded: APIFlask) -> None:
    door = JsonDoor(guarded)
    door.sign_in(ALICE)
    door.client.get("/api/v1/test/signed-in")
    with statements(guarded) as found:
        assert door.client.get("/api/v1/test/verified").status_code == 200
    assert len(found) == 1, found


def test_a_changing_request_by_cookie_needs_the_csrf_token(guarded: APIFlask) -> None:
    door = JsonDoor(guarded)
    door.sign_in(ALICE)
    for name in GUARDS:
        assert door.client.post(f"/api/v1/test/{name}").status_code == 403
        assert door.client.post(f"/api/v1/test/{name}").get_json()["code"] == "csrf_failed"


# Whole blueprints and applications.


def room(*guards: Guard) -> Blueprint:
    blueprint = Blueprint("room", __name__, url_prefix="/api/v1/room")
    blueprint.add_url_rule("/inside", "inside", public_copy(fine))
    blueprint.add_url_rule("/window", "window", public(public_copy(fine)))
    guard(blueprint, *guards)
    return blueprint


def test_a_blueprint_is_guarded_but_for_what_is_public(app: APIFlask) -> None:
    app.register_blueprint(room(signed_in, requires_role("admin")))
    create_user(app)
    token = bearer(sign_in_by_bearer(app.test_client())["access_token"])
    client = app.test_client()
    assert client.get("/api/v1/room/inside").status_code == 401
    assert client.get("/api/v1/room/inside", headers=token).status_code == 403
    assert client.get("/api/v1/room/window").status_code == 200
    assert client.get("/healthz").status_code == 200
    names = [each.name for each in guards_of(app, "room.inside")]
    assert names == ["signed_in", "requires_role(admin)"]
    assert guards_of(app, "room.window") == ()
    assert client.get("/api/v1/openapi.json").status_code == 200


def test_a_blueprint_in_a_blueprint_is_guarded_too(app: APIFlask) -> None:
    outer = Blueprint("outer", __name__, url_prefix="/api/v1/outer")
    inner = Blueprint("inner", __name__)
    inner.add_url_rule("/inside", "inside", public_copy(fine))
    guard(outer, signed_in)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert app.test_client().get("/api/v1/outer/inside").status_code == 401
    assert [each.name for each in guards_of(app, "outer.inner.inside")] == ["signed_in"]


def test_a_whole_application_is_guarded_but_for_what_is_public(app: APIFlask) -> None:
    guard(app, signed_in)
    for endpoint in EVERYBODYS:
        public(app.view_functions[endpoint])
    app.add_url_rule("/api/v1/inside", "inside", fine)
    create_user(app)
    client = app.test_client()
    assert client.get("/api/v1/inside").status_code == 401
    assert client.get("/login").status_code == 200
    with client.get("/static/latchkey.css") as file:
        assert file.status_code == 200
    assert client.get("/nowhere").status_code == 404
    token = bearer(sign_in_by_bearer(client)["access_token"])
    assert client.get("/api/v1/inside", headers=token).status_code == 200


def test_one_who_was_signed_in_before_lends_nobody_a_sign_in(guarded: APIFlask) -> None:
    """What one request showed must not be taken for what the next one shows."""
    token = bearer(sign_in_by_bearer(guarded.test_client())["access_token"])
    with guarded.app_context():
        client = guarded.test_client(use_cookies=False)
        assert client.get("/api/v1/test/signed-in", headers=token).status_code == 200
        assert client.get("/api/v1/test/signed-in").status_code == 401


def test_a_host_of_ones_own_reads_the_marks(app: APIFlask) -> None:
    """`guards_of` takes any Flask application."""
    host = Flask("host")
    host.add_url_rule("/open", "open", public(public_copy(fine)))
    host.add_url_rule("/shut", "shut", signed_in(public_copy(fine)))
    assert guards_of(host, "open") == ()
    assert [each.name for each in guards_of(host, "shut")] == ["signed_in"]
