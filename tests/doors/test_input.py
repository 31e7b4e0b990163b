"""Whatever is sent, the answer is a refusal in plain form and never an error of ours."""

import json
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.doors.probes import ALICE, FUZZ, bearer, create_user, sign_in_by_bearer
from tests.support import PASSWORD

AUTH = "/api/v1/auth/"
FIELDS: dict[str, dict[str, Any]] = {
    "signup": {"email": ALICE, "password": PASSWORD, "name": "Alice", "transport": "bearer"},
    "login": {"email": ALICE, "password": PASSWORD, "transport": "bearer", "remember": True},
    "email/verify": {"token": "x"},
    "email/verify/resend": {"email": ALICE},
    "refresh": {"refresh_token": "x"},
    "logout": {"refresh_token": "x"},
    "me": {"name": "Alice"},
}
EVERY_FIELD = [(path, field) for path, fields in FIELDS.items() for field in fields]
VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e308, 10**300, "", " ", "\0", "\n", "\ufeff", "\u202e",
    "é" * 999, "x" * 60_000, "%s%n{}{{7*7}}", "' OR 1=1 --", "\U0010ffff", [], [[]], ["x"], {},
    {"$ne": None}, {"email": ALICE},
]  # fmt: skip


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A client that is signed in by bearer where that helps."""
    create_user(app, "known@example.com")
    token = sign_in_by_bearer(app.test_client(), "known@example.com")["access_token"]
    client = app.test_client()
    client.environ_base["HTTP_X_TEST_TOKEN"] = token
    return client


def send(client: FlaskClient, path: str, body: bytes, **headers: str) -> TestResponse:
    """Send bytes as JSON; where somebody has to be signed in, by bearer."""
    method = "PATCH" if path == "me" else "POST"
    if path == "me":
        headers |= bearer(client.environ_base["HTTP_X_TEST_TOKEN"])
    return client.open(
        AUTH + path, method=method, data=body, content_type="application/json", headers=headers
    )


def is_plain(response: TestResponse) -> bool:
    """Whether it worked, or was refused with problem details that say why."""
    if response.status_code < 400:
        return True
    problem = response.get_json(silent=True) or {}
    return (
        response.status_code < 500
        and response.mimetype == "application/problem+json"
        and problem.get("status") == response.status_code
        and {"type", "title", "status", "code", "detail"} <= problem.keys()
    )


@pytest.mark.parametrize(("path", "field"), EVERY_FIELD)
def test_every_type_in_every_field(client: FlaskClient, path: str, field: str) -> None:
    for value in VALUES:
        body = json.dumps(FIELDS[path] | {field: value}).encode()
        response = send(client, path, body)
        assert is_plain(response), (value, response.status_code, response.text)
        if response.status_code == 422:
            assert {error["field"] for error in response.get_json()["errors"]} >= {field}


@pytest.mark.parametrize(("path", "field"), EVERY_FIELD)
def test_a_missing_field(client: FlaskClient, path: str, field: str) -> None:
    body = {name: value for name, value in FIELDS[path].items() if name != field}
    assert is_plain(send(client, path, json.dumps(body).encode()))


MALFORMED = {
    "empty-object-cut": b"{",
    "text": b"hello",
    "twice": b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}',
    "twice-inside": b'{"email": {"a": 1, "a": 2}}',
    "nan": b'{"email": NaN}',
    "infinity": b'{"email": -Infinity}',
    "bottomless": b"[" * 60_000,
    "bottomless-object": b'{"a":' * 10_000,
    "huge-number": b'{"email": ' + b"9" * 50_000 + b"}",
    "invalid-utf-8": b'{"email": "\xff\xfe\xfd"}',
    "cut-utf-8": b'{"email": "\xc3"}',
    "overlong": b'{"email": "\xc0\xaf"}',
    "lone-surrogate": b'{"email": "a\\ud800@example.com", "password": "\\udfff 12345678"}',
    "lone-surrogate-key": b'{"\\ud800": 1}',
    "lone-surrogate-utf-8": b'{"email": "\xed\xa0\x80"}',
    "surrogate-utf-16": '{"email": "a@example.com", "password": "\\ud800 12345678"}'.encode(
        "utf-16"
    ),
    "surrogate-utf-32": '{"email": "a@example.com", "password": "\\ud800 12345678"}'.encode(
        "utf-32"
    ),
    "control": b'{"email": "a\nb"}',
    "trailing": b'{"email": "a@example.com"}}',
    "two": b"{}{}",
    "comment": b"{/* */}",
    "single-quotes": b"{'email': 'a'}",
    "nul": b"\0",
    "bom": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_json_is_refused(client: FlaskClient, name: str) -> None:
    for path in FIELDS:
        response = send(client, path, MALFORMED[name])
        assert is_plain(response), path
        assert (response.status_code, response.get_json()["code"]) == (400, "bad_request"), path


@pytest.mark.parametrize("path", FIELDS)
@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"true", b"[{}]", b"1e999"])
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, path: str, body: bytes) -> None:
    response = send(client, path, body)
    assert is_plain(response)
    if (path, body) != ("me", b"null"):
        assert response.status_code == 422, response.text


@pytest.mark.parametrize("path", FIELDS)
def test_an_empty_body_is_no_error_of_ours(client: FlaskClient, path: str) -> None:
    for content_type in ("application/json", "text/plain", ""):
        response = client.post(AUTH + path, data=b"", content_type=content_type)
        assert is_plain(response)
        assert response.status_code != 415 or content_type != "application/json"


@pytest.mark.parametrize("path", FIELDS)
def test_a_body_over_64_kib_is_too_large(client: FlaskClient, path: str) -> None:
    body = json.dumps(FIELDS[path] | {"more": "x" * 65_536}).encode()
    response = send(client, path, body)
    assert (response.status_code, response.get_json()["code"]) == (413, "too_large")
    assert is_plain(response)


@pytest.mark.parametrize("path", FIELDS)
def test_a_body_of_64_kib_is_not(client: FlaskClient, path: str) -> None:
    body = json.dumps(FIELDS[path]).encode()
    response = send(client, path, body + b" " * (65_536 - len(body)))
    assert is_plain(response)
    assert response.status_code != 413


ATOMS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40)
)
JSON = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.sampled_from([ALICE, PASSWORD, "cookie", "bearer"])
        for name in ("email", "password", "name", "token", "refresh_token", "transport", "remember")
    },
)


@pytest.mark.parametrize("path", FIELDS)
@FUZZ
@given(body=BODIES)
def test_any_json_at_all(client: FlaskClient, path: str, body: object) -> None:
    assert is_plain(send(client, path, json.dumps(body).encode()))


@pytest.mark.parametrize("path", FIELDS)
@FUZZ
@given(body=st.binary(max_size=200))
def test_any_bytes_at_all(client: FlaskClient, path: str, body: bytes) -> None:
    assert is_plain(send(client, path, body))


HEADERS = ("Authorization", "Cookie", "X-XSRF-TOKEN", "User-Agent", "Content-Type", "Accept",
           "X-Forwarded-For", "Referer", "Accept-Language")  # fmt: skip
HEADER_VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)


@FUZZ
@given(headers=st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES, max_size=4))
def test_any_headers_at_all(app: APIFlask, headers: dict[str, str]) -> None:
    client = app.test_client(use_cookies=False)
    for path in ("me", "refresh", "logout"):
        method = "GET" if path == "me" else "POST"
        assert is_plain(client.open(AUTH + path, method=method, headers=headers))
    for path in ("/", "/account", "/login", "/logout"):
        assert client.get(path, headers=headers).status_code < 500
