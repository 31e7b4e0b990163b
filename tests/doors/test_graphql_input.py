"""Whatever is sent to the GraphQL door, it is answered plainly and never by an error of ours."""

from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.doors.probes import ALICE, FUZZ, create_user
from tests.graphql_kit import LOGIN, ME, REGISTER, GraphqlDoor, code_of
from tests.support import PASSWORD


@pytest.fixture
def door(app: APIFlask) -> GraphqlDoor:
    """Alice, signed in."""
    create_user(app)
    door = GraphqlDoor(app)
    assert door.sign_in(ALICE).is_fine
    return door


def send(client: FlaskClient, body: bytes) -> TestResponse:
    return client.post("/graphql", data=body, content_type="application/json")


def is_plain(response: TestResponse) -> bool:
    """Whether it ran, or was refused with a code and without a word too many."""
    body = response.get_json(silent=True) or {}
    return response.status_code < 500 and (
        "data" in body or all(error["extensions"]["code"] for error in body["errors"])
    )


MALFORMED: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "cut": (b"{", 400),
    "twice": (b'{"query": "{ me { id } }", "query": "mutation { logout }"}', 400),
    "twice in variables": (b'{"query": "{ me { id } }", "variables": {"a": 1, "a": 2}}', 400),
    "nan": (b'{"query": NaN}', 400),
    "bottomless": (b"[" * 60_000, 400),
    "bottomless variables": (
        b'{"query": "{ me { id } }", "variables": {"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
        400,
    ),
    "latin": (b'{"query": "{ me { id } } # \xe9"}', 400),
    "half a character": (b'{"query": "{ me { id } } # \\ud800"}', 400),
    "half a character in a document": (
        b'{"query": "mutation { login(email: \\"\\\\ud800\\", password: \\"x\\") { status } }"}',
        400,
    ),
    "no query": (b'{"variables": {}}', 400),
    "null": (b"null", 400),
    "a string": (b'"{ me { id } }"', 400),
    "too large": (b'{"query": "' + b" " * 70_000 + b'"}', 413),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_be_read(door: GraphqlDoor, name: str) -> None:
    body, status = MALFORMED[name]
    response = send(door.client, body)
    assert response.status_code == status, response.text
    assert code_of(response) == ("too_large" if status == 413 else "bad_request")


VALUES: list[Any] = [
    None, True, 0, 1.5, 10**300, "", "\0", "\ufeff", "é" * 999, "x" * 20_000, [], ["x"], {},
    {"a": 1}, "' OR 1=1 --", "\U0010ffff",
]  # fmt: skip


@pytest.mark.parametrize("field", ["query", "operationName", "variables"])
def test_every_type_in_every_place(door: GraphqlDoor, field: str) -> None:
    for value in VALUES:
        body = {"query": ME, "variables": {}, "operationName": None} | {field: value}
        response = door.client.post("/graphql", json=body)
        assert is_plain(response), (value, response.text)


@pytest.mark.parametrize("name", ["email", "password"])
def test_every_type_in_every_argument(door: GraphqlDoor, name: str) -> None:
    for document in (LOGIN, REGISTER):
        for value in VALUES:
            arguments = {"email": "new@example.com", "password": PASSWORD} | {name: value}
            response = door.ask(document, **arguments)
            assert is_plain(response), (value, response.text)
            if not isinstance(value, str):
                assert response.status_code == 400
        left_out = {"email": ALICE, "password": PASSWORD}
        del left_out[name]
        assert door.ask(document, **left_out).status_code == 400


def test_a_null_that_slips_past_the_types(door: GraphqlDoor) -> None:
    document = 'mutation ($e: String = "x") { login(email: $e, password: "x") { status } }'
    response = door.ask(document, e=None)
    assert (response.status_code, code_of(response)) == (400, "bad_request")


@FUZZ
@given(document=st.text() | st.text(alphabet='{}()[]":$@!|&=#.,\\ \nmelogin01', max_size=80))
def test_any_text_is_answered_plainly(app: APIFlask, document: str) -> None:
    assert is_plain(GraphqlDoor(app).ask(document.encode(errors="replace").decode()))
