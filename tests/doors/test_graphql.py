"""The five operations of the GraphQL door."""

import json
from datetime import datetime, timedelta
from typing import cast

import pytest
import time_machine
from apiflask import APIFlask
from graphql import GraphQLObjectType, parse, print_ast

from config import ROOT
from tests.conftest import MakeApp
from tests.doors.probes import (
    ALICE,
    audited,
    bearer,
    create_user,
    disable_user,
    dump,
    execute,
    mailed,
)
from tests.graphql_kit import (
    LOGIN,
    LOGOUT,
    ME,
    REFRESH,
    REGISTER,
    GraphqlDoor,
    code_of,
    payload_of,
    problems_of,
)
from tests.support import PASSWORD
from webapp import clock
from webapp.doors.gql.schema import schema_of_application


@pytest.fixture
def door(app: APIFlask) -> GraphqlDoor:
    """The GraphQL door, and Alice has an account."""
    create_user(app)
    return GraphqlDoor(app)


@pytest.fixture
def signed_in(door: GraphqlDoor) -> GraphqlDoor:
    """Alice, signed in."""
    assert door.sign_in(ALICE).is_fine
    return door


def test_the_schema_is_what_the_contract_says(app: APIFlask) -> None:
    with app.app_context():
        schema = schema_of_application()
    fields = {
        f"{kind}.{name}": str(field.type)
        for kind in ("Query", "Mutation", "MutationResponse", "FieldError", "User")
        for name, field in cast(GraphQLObjectType, schema.type_map[kind]).fields.items()
    }
    assert fields == {
        "Query.me": "User!",
        "Mutation.register": "MutationResponse!",
        "Mutation.login": "MutationResponse!",
        "Mutation.refresh": "String!",
        "Mutation.logout": "Boolean!",
        "MutationResponse.status": "Int!",
        "MutationResponse.errors": "[FieldError]!",
        "MutationResponse.payload": "String",
        "FieldError.path": "String!",
        "FieldError.message": "String!",
        "User.id": "ID!",
        "User.email": "String!",
        "User.confirmed": "Boolean!",
        "User.createdAt": "String!",
        "User.updatedAt": "String!",
    }


def test_a_whole_journey(app: APIFlask) -> None:
    door = GraphqlDoor(app)
    response = door.ask(REGISTER, email=ALICE, password=PASSWORD)
    assert response.get_json() == {
        "data": {"register": {"status": 201, "errors": [], "payload": None}}
    }
    assert problems_of(door.ask(LOGIN, email=ALICE, password=PASSWORD)) == {
        ("email", "not confirmed")
    }
    assert door.verify(door.mailed_token(ALICE)).is_fine
    assert door.sign_in(ALICE).status == 200
    assert door.who_am_i() == ALICE
    assert door.refresh().is_fine
    assert door.who_am_i() == ALICE
    assert door.ask(LOGOUT, door.refresh_token).get_json() == {"data": {"logout": True}}
    assert code_of(door.ask(ME, door.access_token)) == "token_revoked"
    assert code_of(door.ask(REFRESH, door.refresh_token)) == "token_revoked"
    assert door.ask(LOGOUT, door.refresh_token).get_json() == {"data": {"logout": False}}


def test_the_tokens_are_good_at_the_other_doors(app: APIFlask, signed_in: GraphqlDoor) -> None:
    client = app.test_client()
    me = client.get("/api/v1/auth/me", headers=bearer(signed_in.access_token))
    assert me.get_json()["email"] == ALICE
    pair = client.post("/api/v1/auth/refresh", headers=bearer(signed_in.refresh_token)).get_json()
    assert signed_in.ask(ME, pair["access_token"]).get_json()["data"]["me"]["email"] == ALICE


def test_a_payload_holds_the_two_tokens(door: GraphqlDoor) -> None:
    payload = payload_of(door.ask(LOGIN, email=ALICE, password=PASSWORD))
    assert payload
    assert list(payload) == ["access_token", "refresh_token"]


@pytest.mark.parametrize("verification", ["optional", "off"])
def test_without_verification_registering_signs_in_and_tells(
    make_app: MakeApp, verification: str
) -> None:
    door = GraphqlDoor(make_app(graphql=True, email_verification=verification))
    payload = payload_of(door.ask(REGISTER, email=ALICE, password=PASSWORD))
    assert payload
    assert door.ask(ME, payload["access_token"]).get_json()["data"]["me"]["confirmed"] is False
    response = door.ask(REGISTER, email=ALICE, password=PASSWORD)
    assert response.get_json()["data"]["register"]["status"] == 401
    assert problems_of(response) == {("email", "already taken")}


def test_with_verification_a_taken_address_is_not_told(app: APIFlask, door: GraphqlDoor) -> None:
    taken = door.ask(REGISTER, email=ALICE, password=PASSWORD)
    new = door.ask(REGISTER, email="new@example.com", password=PASSWORD)
    assert taken.get_json() == new.get_json()
    assert "sign_up_with_taken_address" in audited(app)
    assert mailed(app)[-1] == "sign_up_taken"


def test_what_cannot_be_used_is_said_by_argument(app: APIFlask, door: GraphqlDoor) -> None:
    before = dump(app)
    response = door.ask(REGISTER, email="nowhere", password="short")
    answer = response.get_json()["data"]["register"]
    assert (response.status_code, answer["status"], answer["payload"]) == (200, 401, None)
    assert {path for path, _ in problems_of(response)} == {"email", "password"}
    assert {path for path, _ in problems_of(door.ask(LOGIN, email="", password=""))} == {
        "email",
        "password",
    }
    assert dump(app) == before


def test_a_wrong_password_says_no_more_than_an_unknown_address(
    app: APIFlask, door: GraphqlDoor
) -> None:
    disabled = "disabled@example.com"
    create_user(app, disabled)
    disable_user(app, disabled)
    answers = [
        door.ask(LOGIN, email=email, password=password).text
        for email, password in (
            (ALICE, "a wrong password"),
            ("nobody@example.com", PASSWORD),
            (disabled, PASSWORD),
        )
    ]
    assert len(set(answers)) == 1
    assert json.loads(answers[0])["data"]["login"] == {
        "status": 401,
        "errors": [{"path": "password", "message": "invalid credentials"}],
        "payload": None,
    }


def test_only_the_right_password_learns_that_an_address_waits(app: APIFlask) -> None:
    door = GraphqlDoor(app)
    door.sign_up(ALICE)
    wrong = door.ask(LOGIN, email=ALICE, password="a wrong password")
    assert problems_of(wrong) == {("password", "invalid credentials")}
    right = door.ask(LOGIN, email=ALICE, password=PASSWORD)
    assert right.get_json()["data"]["login"]["status"] == 401
    assert problems_of(right) == {("email", "not confirmed")}


@pytest.mark.parametrize("document", [ME, REFRESH, LOGOUT])
def test_tokens_never_stand_in_for_each_other(signed_in: GraphqlDoor, document: str) -> None:
    wrong = signed_in.refresh_token if document == ME else signed_in.access_token
    for token, code in (("", "not_signed_in"), (wrong, "token_invalid"), ("x", "token_invalid")):
        response = signed_in.ask(document, token)
        body = response.get_json()
        assert (response.status_code, body["data"], code_of(response)) == (200, None, code)
        (name,) = body["errors"][0]["path"]
        assert name in document
    assert signed_in.who_am_i() == ALICE


@pytest.mark.parametrize("document", [ME, REFRESH, LOGOUT])
def test_an_expired_token_is_told_from_a_bad_one(signed_in: GraphqlDoor, document: str) -> None:
    token = signed_in.access_token if document == ME else signed_in.refresh_token
    with time_machine.travel(clock.now() + timedelta(days=31)):
        assert code_of(signed_in.ask(document, token)) == "token_expired"


def test_a_shut_account_is_out_at_once(app: APIFlask, signed_in: GraphqlDoor) -> None:
    disable_user(app)
    assert code_of(signed_in.ask(ME, signed_in.access_token)) == "token_revoked"
    assert code_of(signed_in.ask(REFRESH, signed_in.refresh_token)) == "token_revoked"


def test_times_are_rfc_3339_and_an_update_moves_one(app: APIFlask) -> None:
    door = GraphqlDoor(app)
    create_user(app)
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        door.sign_in(ALICE)
        before = door.ask(ME, door.access_token).get_json()["data"]["me"]
        at_once = moment(before["updatedAt"])
        assert at_once - moment(before["createdAt"]) > timedelta(minutes=59)
    with time_machine.travel(clock.now() + timedelta(hours=1, minutes=5)):
        client = app.test_client()
        headers = bearer(door.access_token)
        client.patch("/api/v1/auth/me", json={"name": "Alice"}, headers=headers)
        after = door.ask(ME, door.access_token).get_json()["data"]["me"]
    assert after["createdAt"] == before["createdAt"]
    assert moment(after["updatedAt"]) - at_once > timedelta(minutes=4)


def test_an_account_that_never_changed_was_updated_when_it_was_made(signed_in: GraphqlDoor) -> None:
    execute(signed_in.app, "UPDATE users SET updated_at = NULL")
    me = signed_in.ask(ME, signed_in.access_token).get_json()["data"]["me"]
    assert me["updatedAt"] == me["createdAt"]


def moment(written: str) -> datetime:
    assert written.endswith("Z")
    return datetime.fromisoformat(written)


def test_no_sign_in_goes_unaudited(app: APIFlask, door: GraphqlDoor) -> None:
    door.sign_in(ALICE, "a wrong password")
    door.sign_in(ALICE)
    door.sign_out()
    assert audited(app) == ["user_created", "sign_in_failed", "signed_in", "signed_out"]


def test_the_documented_schema_parses() -> None:
    sdl = (ROOT / "docs/api.md").read_text().partition("```graphql\n")[2].partition("```")[0]
    assert "register" in print_ast(parse(sdl))
