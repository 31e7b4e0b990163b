"""What a token says about roles holds until they change, to the microsecond."""

import pytest
from apiflask import APIFlask
from flask import Response, jsonify
from flask.testing import FlaskClient

from tests.account_kit import ALICE, account_of
from tests.doors.probes import bearer, create_user, sign_in_by_bearer
from webapp.doors.guards import requires_role
from webapp.features.users import flow
from webapp.features.users.flow import Change
from webapp.services.client import Client

SHELL = Client(ip="", user_agent="a test")
OTHER = "other@example.com"


@pytest.fixture
def guarded(app: APIFlask) -> APIFlask:
    """The application with a view for administrators; Alice is none, and somebody else is one."""

    @app.get("/api/v1/test/admin")
    @requires_role("admin")
    def view() -> Response:
        return jsonify(status="fine")

    create_user(app)
    create_user(app, OTHER)
    set_roles(app, OTHER, "admin")
    return app


def set_roles(app: APIFlask, email: str, *roles: str) -> None:
    with app.app_context():
        flow.change_user(account_of(app, email).id, Change(roles=roles), SHELL)


def me(client: FlaskClient, token: str) -> str | None:
    reply = client.get("/api/v1/test/admin", headers=bearer(token))
    return None if reply.status_code == 200 else str(reply.get_json()["code"])


def test_a_demotion_counts_within_the_second_that_the_token_is_from(guarded: APIFlask) -> None:
    client = guarded.test_client(use_cookies=False)
    for _ in range(5):
        set_roles(guarded, ALICE, "admin")
        tokens = sign_in_by_bearer(client)
        assert me(client, tokens["access_token"]) is None
        set_roles(guarded, ALICE)
        assert me(client, tokens["access_token"]) == "token_expired"
        reply = client.post("/api/v1/auth/refresh", headers=bearer(tokens["refresh_token"]))
        assert me(client, reply.get_json()["access_token"]) == "forbidden"
        set_roles(guarded, ALICE, "admin")
        assert me(client, reply.get_json()["access_token"]) == "token_expired"
        reply = client.post("/api/v1/auth/refresh", headers=bearer(tokens["refresh_token"]))
        assert me(client, reply.get_json()["access_token"]) is None


def test_roles_that_change_while_a_password_is_hashed_are_those_of_the_session(
    guarded: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_roles(guarded, ALICE, "admin")
    user_id = account_of(guarded).id
    passwords = guarded.extensions["latchkey"].passwords
    verify = passwords.verify

    def verify_slowly(*args: str) -> object:
        flow.change_user(user_id, Change(roles=()), SHELL)
        return verify(*args)

    monkeypatch.setattr(passwords, "verify", verify_slowly)
    reply = sign_in_by_bearer(guarded.test_client())
    assert reply["user"]["roles"] == ["user"]
    assert me(guarded.test_client(), reply["access_token"]) == "forbidden"


def test_a_disabled_account_comes_in_nowhere(guarded: APIFlask) -> None:
    token = sign_in_by_bearer(guarded.test_client())["access_token"]
    with guarded.app_context():
        flow.disable_user(ALICE, SHELL)
    client = guarded.test_client()
    reply = client.get("/api/v1/test/admin", headers=bearer(token))
    assert (reply.status_code, reply.get_json()["code"]) == (401, "token_revoked")
