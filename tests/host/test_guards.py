"""Guards on a host's views: who is let in, and what the others are told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Blueprint, Flask, jsonify, render_template_string, request
from flask.typing import ResponseReturnValue

from tests.doors.probes import ALICE, bearer, create_user, disable_user, execute, sign_in_by_bearer
from tests.doors.test_statements import statements
from tests.host.conftest import MakeHost
from tests.host.kit import HOST_LIMIT, PAGE, JsonDoorAtHost, latchkey_of, make_host
from tests.support import PASSWORD, csrf_token_in
from webapp import (
    clock,
    csrf_token,
    current_principal,
    current_user,
    maybe_signed_in,
    requires_recent_sign_in,
    requires_role,
    requires_verified_email,
    sign_in_path,
    sign_out_path,
    signed_in,
)

FORM = '<input name="csrf_token" value="[[ csrf_token() ]]">'


def views() -> Blueprint:
    """Return views behind one guard each."""
    blueprint = Blueprint("views", __name__, url_prefix="/host")

    @blueprint.get("/form")
    @signed_in
    def form() -> str:
        return render_template_string(FORM, csrf_token=csrf_token)

    @blueprint.get("/admins")
    @requires_role("admin", "owner")
    def admins() -> str:
        return "admins"

    @blueprint.route("/recent", methods=["GET", "POST"])
    @requires_recent_sign_in(minutes=5)
    def recent() -> str:
        return f"recent {sorted(request.form)}"

    @blueprint.get("/verified")
    @requires_verified_email
    def verified() -> str:
        return "verified"

    @blueprint.get("/who")
    @maybe_signed_in
    def who() -> ResponseReturnValue:
        principal = current_principal()
        return jsonify(
            id=principal.claims.user_id if principal else None,
            token=csrf_token(),
            paths=[sign_in_path(), sign_out_path()],
        )

    @blueprint.get("/open")
    def everybody() -> str:
        return f"{current_principal()} {current_user()} {csrf_token()}"

    return blueprint


@pytest.fixture
def make(in_front: MakeHost) -> Callable[..., Flask]:
    """A function that makes the host with these views; keyword arguments are settings."""

    def made(**overrides: object) -> Flask:
        host = make_host()
        host.register_blueprint(views())
        return in_front(host, "/id", **overrides)

    return made


@pytest.fixture
def host(make: Callable[..., Flask]) -> Flask:
    """The host with these views."""
    return make()


def later(**time: float) -> time_machine.travel:
    """Let time pass."""
    return time_machine.travel(clock.now() + timedelta(**time))


def test_programs_get_problem_details_and_people_the_sign_in_page(host: Flask) -> None:
    client = host.test_client()
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}, PAGE | bearer("x")):
        reply = client.get("/host/guarded", headers=headers)
        assert (reply.status_code, reply.mimetype) == (401, "application/problem+json")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert reply.headers["Cache-Control"] == "no-store"
    fetched = client.get("/host/guarded", headers=PAGE | {"Sec-Fetch-Mode": "cors"})
    assert fetched.status_code == 401
    # A proxy that asks for a password of its own has browsers send it everywhere.
    for also in ({"Sec-Fetch-Mode": "navigate"}, {"Authorization": "Basic YTpi"}):
        page = client.get("/host/guarded", headers=PAGE | also)
        assert (page.status_code, page.headers["Cache-Control"]) == (303, "no-store")
    before = {"Referer": "http://localhost/host/page"}
    form = client.post("/host/guarded", headers=PAGE | before)
    assert form.headers["Location"] == "/id/login?next=/host/page"


def test_bearers_are_let_in_and_need_no_csrf_token(host: Flask, alice: JsonDoorAtHost) -> None:
    token = sign_in_by_bearer(alice.another_browser().client)["access_token"]
    client = host.test_client()
    assert client.get("/host/guarded", headers=bearer(token)).text == f"GET {ALICE} "
    assert client.post("/host/guarded", headers=bearer(token)).text == f"POST {ALICE} "
    assert (
        client.get("/host/guarded", headers=bearer("x.y.z")).get_json()["code"] == "token_invalid"
    )


def test_cookies_need_the_csrf_token_to_change_something(alice: JsonDoorAtHost) -> None:
    client, path = alice.client, "/host/guarded"
    refused = client.post(path)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "csrf_failed")
    assert client.post(path, headers=PAGE).text == "the host's 403"
    token = alice.cookie("XSRF-TOKEN")
    assert token is not None
    assert client.post(path, headers={"X-XSRF-TOKEN": token}).status_code == 200
    for field in ("csrf_token", "latchkey_token"):
        assert client.post(path, data={field: token, "text": "bell"}).text == f"POST {ALICE} bell"
    assert client.post(path, data={"csrf_token": token[::-1]}).status_code == 403
    from_elsewhere = {"X-XSRF-TOKEN": token, "Origin": "https://evil.example"}
    assert client.post(path, headers=from_elsewhere).status_code == 403
    ours = csrf_token_in(client.get("/host/form").text)
    assert client.post(path, data={"csrf_token": ours}).status_code == 200


def test_forms_and_bodies_of_the_host_are_read_in_its_own_way(
    host: Flask, alice: JsonDoorAtHost
) -> None:
    data = {"csrf_token": alice.cookie("XSRF-TOKEN"), "text": "x" * 150_000}
    assert alice.client.post("/host/guarded", data=data).text.endswith("x" * 150_000)
    too_much = data | {"text": "x" * (HOST_LIMIT + 1)}
    assert alice.client.post("/host/guarded", data=too_much).text == "the host's 413"
    headers = {"X-XSRF-TOKEN": alice.cookie("XSRF-TOKEN") or ""}
    body = {"price": 1.5, "text": "x" * 150_000}
    assert alice.client.post("/host/guarded-json", json=body, headers=headers).text == "Decimal"


def test_a_csrf_token_is_good_for_its_session_alone(host: Flask, alice: JsonDoorAtHost) -> None:
    create_user(latchkey_of(host).app, "bob@example.com")
    bob = JsonDoorAtHost(host)
    bob.sign_in("bob@example.com")
    headers = {"X-XSRF-TOKEN": bob.cookie("XSRF-TOKEN") or ""}
    assert bob.client.post("/host/guarded", headers=headers).status_code == 200
    assert alice.client.post("/host/guarded", headers=headers).status_code == 403


def test_a_form_comes_through_the_bounce_with_all_that_is_in_it(alice: JsonDoorAtHost) -> None:
    data = {"csrf_token": alice.cookie("XSRF-TOKEN"), "text": "a bell"}
    with later(hours=1):
        reply = alice.client.post("/host/guarded", data=data, headers=PAGE)
        assert reply.status_code == 307
        back = alice.client.post(reply.headers["Location"], data=data, headers=PAGE)
        assert (back.status_code, back.headers["Location"]) == (307, "/host/guarded")
        reply = alice.client.post(back.headers["Location"], data=data, headers=PAGE)
        assert reply.text == f"POST {ALICE} a bell"


def test_a_program_is_told_to_refresh(alice: JsonDoorAtHost) -> None:
    with later(hours=1):
        assert alice.client.get("/host/guarded").get_json()["code"] == "token_expired"
        assert alice.refresh().is_fine
        assert alice.client.get("/host/guarded").text == f"GET {ALICE} "


def test_who_signed_out_or_is_shut_out_stays_out(host: Flask, alice: JsonDoorAtHost) -> None:
    bob = JsonDoorAtHost(host)
    bob.sign_in(ALICE)
    stolen = {"Authorization": f"Bearer {bob.cookie('access_token')}"}
    bob.sign_out()
    assert bob.client.get("/host/guarded", headers=stolen).get_json()["code"] == "token_revoked"
    assert alice.client.get("/host/guarded").status_code == 200
    execute(latchkey_of(host).app, "UPDATE users SET disabled_at = '2026-01-01 00:00:00'")
    # The snapshot does not know; whoever reads the account finds out.
    assert alice.client.get("/host/form").status_code == 200
    assert alice.client.get("/host/guarded").get_json()["code"] == "token_revoked"
    assert alice.client.get("/host/guarded", headers=PAGE).status_code == 303
    disable_user(latchkey_of(host).app)


def test_roles(host: Flask, alice: JsonDoorAtHost) -> None:
    assert alice.client.get("/host/admins").get_json()["code"] == "forbidden"
    assert alice.client.get("/host/admins", headers=PAGE).text == "the host's 403"
    assert host.test_client().get("/host/admins", headers=PAGE).status_code == 303
    give = "INSERT INTO user_roles (user_id, role) SELECT id, 'admin' FROM users"
    execute(latchkey_of(host).app, give)
    alice.sign_in(ALICE)
    assert alice.client.get("/host/admins").text == "admins"


def test_a_recent_sign_in(host: Flask, alice: JsonDoorAtHost) -> None:
    assert alice.client.get("/host/recent").text == "recent []"
    token = alice.cookie("XSRF-TOKEN")
    with later(minutes=6):
        code = alice.client.get("/host/recent").get_json()["code"]
        assert code == "reauthentication_required"
        page = alice.client.get("/host/recent?x=1", headers=PAGE)
        assert page.headers["Location"] == "/id/reauthenticate?next=/host/recent%3Fx%3D1"
        # A form goes back to its own page: the password that is asked for is not the host's.
        for referrer, target in (
            ("http://localhost/host/form?y=2", "/host/form%3Fy%3D2"),
            ("https://evil.example/host/form", "/host/recent"),
            ("", "/host/recent"),
        ):
            sent = alice.client.post(
                "/host/recent",
                data={"csrf_token": token},
                headers=PAGE | {"Referer": referrer},
            )
            assert sent.status_code == 303
            assert sent.headers["Location"] == f"/id/reauthenticate?next={target}"
        assert alice.post("reauthenticate", {"password": PASSWORD}).is_fine
        assert alice.client.get("/host/recent").text == "recent []"


def test_a_proved_address(make: Callable[..., Flask]) -> None:
    door = JsonDoorAtHost(make(email_verification="optional"))
    assert door.sign_up(ALICE).is_fine
    assert door.client.get("/host/guarded").status_code == 200
    assert door.client.get("/host/verified").get_json()["code"] == "email_not_verified"
    assert door.verify(door.mailed_token(ALICE)).is_fine
    assert door.client.get("/host/verified").text == "verified"


def test_a_page_for_everybody_knows_who_is_signed_in(alice: JsonDoorAtHost) -> None:
    stranger = alice.another_browser().client.get("/host/who").get_json()
    assert stranger == {
        "id": None,
        "token": "",
        "paths": ["/id/login?next=/host/who", "/id/logout"],
    }
    known = alice.client.get("/host/who").get_json()
    assert known["id"]
    signed_out = alice.client.post("/id/logout", data={"csrf_token": known["token"]})
    assert signed_out.headers["Location"] == "/id/login?notice=signed_out"
    assert alice.client.get("/host/who").get_json()["id"] is None


def test_it_renews_an_expired_token_first(alice: JsonDoorAtHost) -> None:
    with later(hours=1):
        reply = alice.client.get("/host/who", headers=PAGE, follow_redirects=True)
        assert (len(reply.history), bool(reply.get_json()["id"])) == (2, True)
    with later(days=100):
        reply = alice.client.get("/host/who", headers=PAGE, follow_redirects=True)
        assert reply.request.path == "/id/login"
        assert alice.client.get("/host/who", headers=PAGE).get_json()["id"] is None


def test_behind_no_guard_nobody_is_known(host: Flask, alice: JsonDoorAtHost) -> None:
    assert alice.client.get("/host/open").text == "None None "
    # Nor is what an earlier request found out, where a test holds a context open around both.
    with host.app_context():
        assert alice.client.get("/host/guarded").status_code == 200
        assert alice.client.get("/host/open").text == "None None "
        assert host.test_client().get("/host/guarded").status_code == 401


def test_a_guard_takes_no_statement(host: Flask, alice: JsonDoorAtHost) -> None:
    alice.client.get("/host/form")
    with statements(latchkey_of(host).app) as found:
        for path in ("/host/form", "/host/recent", "/host/who"):
            assert alice.client.get(path).status_code == 200
        assert alice.client.get("/host/admins").status_code == 403
        assert host.test_client().get("/host/form").status_code == 401
    assert found == []


def test_a_guard_that_shows_the_account_takes_one(host: Flask, alice: JsonDoorAtHost) -> None:
    alice.client.get("/host/form")
    with statements(latchkey_of(host).app) as found:
        assert alice.client.get("/host/guarded").status_code == 200
    assert len(found) == 1, found


def test_a_store_that_is_down_is_503(host: Flask, make: Callable[..., Flask]) -> None:
    create_user(latchkey_of(host).app)
    token = sign_in_by_bearer(JsonDoorAtHost(host).client)["access_token"]
    execute(latchkey_of(host).app, "ALTER TABLE sessions RENAME TO elsewhere")
    # Another process, which has no snapshot yet.
    client = make().test_client()
    reply = client.get("/host/form", headers=bearer(token))
    assert (reply.status_code, reply.get_json()["code"]) == (503, "temporarily_unavailable")
    client.set_cookie("access_token", token)
    assert client.get("/host/form", headers=PAGE).text == "the host's 503"
