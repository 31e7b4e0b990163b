"""Attacks on the GraphQL door: many guesses at once, deep and long documents, other ways in."""

import json
import time

import pytest
from apiflask import APIFlask
from graphql import get_introspection_query

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, create_user, dump, query
from tests.doors_kit import JsonDoor
from tests.graphql_kit import LOGIN, LOGOUT, ME, REFRESH, REGISTER, GraphqlDoor, code_of
from tests.support import PASSWORD, private_key

TRY = f'login(email: "{ALICE}", password: "guess") {{ status }}'
LIMITS = {
    "aliases": f"mutation {{ a: {TRY} b: {TRY} }}",
    "a hundred aliases": "mutation {" + " ".join(f"a{n}: {TRY}" for n in range(100)) + "}",
    "different fields": f"mutation {{ {TRY} logout }}",
    "inline fragments": f"mutation {{ ... {{ a: {TRY} }} ... on Mutation {{ b: {TRY} }} }}",
    "fragments": "mutation { ...A ...B } "
    f"fragment A on Mutation {{ a: {TRY} }} fragment B on Mutation {{ ...C }} "
    f"fragment C on Mutation {{ b: {TRY} }}",
    "left out": f"mutation {{ a: {TRY} @include(if: true) b: {TRY} @skip(if: true) }}",
    "a query with aliases": "{ a: me { id } b: me { id } }",
    "aliases inside": "{ me { " + " ".join(f"a{n}: id" for n in range(11)) + " } }",
    "deep": "{" + " me {" * 40 + " id" + " }" * 41,
    "bottomless": "{" * 60_000,
    "bottomless list": "{ me(a: " + "[" * 60_000,
    "long": "{ me { " + "id " * 300 + "} }",
    "comments": "#\n" * 51 + "{ me { id } }",
    "a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A me { id } }",
    "a subscription": "subscription { me { id } }",
    "many errors": "{ " + " ".join(f"x{n}" for n in range(200)) + " }",
}


@pytest.fixture
def door(app: APIFlask) -> GraphqlDoor:
    """Alice, signed in."""
    create_user(app)
    door = GraphqlDoor(app)
    assert door.sign_in(ALICE).is_fine
    return door


@pytest.mark.parametrize("name", LIMITS)
def test_what_asks_for_too_much_does_nothing(app: APIFlask, door: GraphqlDoor, name: str) -> None:
    before = dump(app)
    response = door.ask(LIMITS[name], door.access_token)
    assert (response.status_code, code_of(response)) == (400, "bad_request")
    assert "data" not in response.get_json()
    assert len(response.get_json()["errors"]) <= 6
    assert dump(app) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [("fragments", "one field"), ("aliases inside", "10 aliases"), ("deep", "3 deep"),
     ("long", "300 tokens"), ("comments", "50 comments")],
)  # fmt: skip
def test_the_answer_says_which_limit(door: GraphqlDoor, name: str, words: str) -> None:
    (error,) = door.ask(LIMITS[name]).get_json()["errors"]
    assert words in error["message"]


def test_a_list_of_requests_does_nothing(app: APIFlask, door: GraphqlDoor) -> None:
    before = dump(app)
    guess = {"query": f"mutation {{ {TRY} }}"}
    response = door.client.post("/graphql", json=[guess, guess])
    assert (response.status_code, code_of(response)) == (400, "bad_request")
    assert dump(app) == before


def test_of_several_operations_one_runs(app: APIFlask, door: GraphqlDoor) -> None:
    body = {"query": f"mutation A {{ {TRY} }} mutation B {{ {TRY} }}"}
    assert door.client.post("/graphql", json=body).status_code == 400
    assert door.client.post("/graphql", json=body | {"operationName": "B"}).status_code == 200
    assert query(app, "SELECT count(*) FROM audit_events WHERE event = 'sign_in_failed'") == [(1,)]


def test_what_clients_send_is_within_the_limits(door: GraphqlDoor) -> None:
    fragments = (
        "query Me { ...A ...B } fragment A on Query { me { __typename ...U } } "
        "fragment B on Query { me { createdAt } } fragment U on User { mail: email }"
    )
    assert door.ask(fragments, door.access_token).get_json()["data"]["me"]["mail"] == ALICE
    everything = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    assert "errors" not in door.ask(everything).get_json()


def test_fragments_that_double_are_read_once(door: GraphqlDoor) -> None:
    """Walked through one by one, these would be 33 million."""
    document = (
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(25))
        + " fragment F25 on Query { me { id } }"
    )
    begun_at = time.monotonic()
    assert door.ask(document, door.access_token).status_code == 200
    assert time.monotonic() - begun_at < 2


def test_introspection_has_an_end(door: GraphqlDoor) -> None:
    deep = "{ __schema { types " + "{ fields { type " * 6 + "{ name }" + " } }" * 6 + " } }"
    assert code_of(door.ask(deep)) == "bad_request"


def in_production(make_app: MakeApp) -> GraphqlDoor:
    return GraphqlDoor(
        make_app(
            graphql=True,
            app_env="production",
            base_url="https://id.example.org",
            bcrypt_cost=10,
            jwt_private_key=private_key(),
        )
    )


def test_production_tells_nobody_its_schema(make_app: MakeApp) -> None:
    door = in_production(make_app)
    for document in (
        get_introspection_query(),
        "{ __schema { types { name } } }",
        '{ __type(name: "User") { fields { name } } }',
        "{ ...A } fragment A on Query { __schema { description } }",
    ):
        response = door.ask(document)
        assert (response.status_code, code_of(response)) == (400, "bad_request")
    for document in ("{ mee { id } }", "mutation { logon }", "{ me { emial } }"):
        assert "Did you mean" not in door.ask(document).text
    assert door.ask("{ __typename }").get_json() == {"data": {"__typename": "Query"}}


def test_production_has_no_playground(make_app: MakeApp) -> None:
    response = in_production(make_app).client.get("/graphql")
    assert (response.status_code, code_of(response)) == (405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_nothing_is_there_unless_it_is_switched_on(make_app: MakeApp) -> None:
    client = make_app().test_client()
    for response in (client.get("/graphql"), client.post("/graphql", json={"query": ME})):
        assert response.status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_nothing_runs_but_by_post(app: APIFlask, door: GraphqlDoor, method: str) -> None:
    before = dump(app)
    for document in (LOGOUT, f"mutation {{ {TRY} }}", REFRESH):
        response = door.client.open(
            "/graphql",
            method=method,
            query_string={"query": document},
            json={"query": document},
            headers={"Authorization": f"Bearer {door.refresh_token}"},
        )
        assert response.status_code == (200 if method in ("GET", "HEAD") else 405)
        assert b'"data"' not in response.data
    assert dump(app) == before


def test_cookies_are_neither_read_nor_set(app: APIFlask, door: GraphqlDoor) -> None:
    browser = JsonDoor(app)
    assert browser.sign_in(ALICE).is_fine
    door.client = browser.client
    refresh_cookie = browser.cookie("refresh_token", "/api/v1/auth/refresh") or ""
    browser.client.set_cookie("refresh_token", refresh_cookie, path="/graphql")
    for document in (ME, REFRESH, LOGOUT):
        response = door.ask(document)
        assert code_of(response) == "not_signed_in"
        assert "Set-Cookie" not in response.headers
    for document in (LOGIN, REGISTER):
        response = door.ask(document, email=ALICE, password=PASSWORD)
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers
    assert browser.who_am_i() == ALICE


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_other_sites_are_refused(app: APIFlask, door: GraphqlDoor, headers: dict[str, str]) -> None:
    before = dump(app)
    body = {"query": LOGIN, "variables": {"email": ALICE, "password": PASSWORD}}
    response = door.client.post("/graphql", json=body, headers=headers)
    assert (response.status_code, code_of(response)) == (403, "csrf_failed")
    assert dump(app) == before


def test_the_origins_of_the_setting_may_ask(make_app: MakeApp) -> None:
    client = make_app(graphql=True, cors_origins="https://app.example").test_client()
    for origin, allowed in (("https://app.example", True), ("https://evil.example", False)):
        response = client.options(
            "/graphql", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        assert ("Access-Control-Allow-Origin" in response.headers) == allowed


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/graphql", "application/json-patch+json", "text/plain;application/json", ""],
)  # fmt: skip
def test_it_takes_nothing_but_json(app: APIFlask, door: GraphqlDoor, content_type: str) -> None:
    before = dump(app)
    body = json.dumps({"query": f"mutation {{ {TRY} }}"}).encode()
    response = door.client.post("/graphql", data=body, content_type=content_type)
    assert (response.status_code, code_of(response)) == (415, "unsupported_media_type")
    assert dump(app) == before
