"""Whatever a form or an address holds, the answer is a page and never an error of ours."""

import pytest
from apiflask import APIFlask
from hypothesis import given
from hypothesis import strategies as st

from tests.doors.probes import ALICE, FUZZ, SAFE_METHODS, routes
from tests.support import PASSWORD, csrf_token_in

PAGES = {
    "/signup": ("email", "password", "name", "next"),
    "/login": ("email", "password", "remember", "next"),
    "/verify-email": ("token", "answer"),
    "/verify-email/resend": ("email",),
    "/logout": (),
    "/auth/address/confirm": ("token",),
}


@pytest.mark.parametrize("page", PAGES)
@FUZZ
@given(data=st.data())
def test_any_form_at_all(app: APIFlask, page: str, data: st.DataObject) -> None:
    browser = app.test_client()
    token = csrf_token_in(browser.get("/login").text)
    values = st.text(max_size=40) | st.sampled_from([ALICE, PASSWORD])
    form = {name: data.draw(values) for name in PAGES[page] if data.draw(st.booleans())}
    response = browser.post(page, data=form | {"csrf_token": token})
    assert response.status_code < 500, form
    assert response.mimetype == "text/html"


@pytest.mark.parametrize(
    "body",
    [b"", b"%", b"%ff%fe", b"email=%00&password=%00", b"email[]=x&email=y", b"=&=&&&", b"\xff\xfe",
     b"&".join(b"f%d=x" % n for n in range(5000)), b"email=" + b"x" * 60_000],
    ids=range(9),
)  # fmt: skip
def test_a_strange_form_is_no_error_of_ours(app: APIFlask, body: bytes) -> None:
    for page in PAGES:
        response = app.test_client().post(
            page, data=body, content_type="application/x-www-form-urlencoded"
        )
        assert response.status_code < 500
        assert response.mimetype == "text/html"


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
     "application/json", "text/plain", "x", "multipart/form-data; boundary=" + "x" * 300],
    ids=range(7),
)  # fmt: skip
def test_a_form_of_another_type_is_no_error_of_ours(app: APIFlask, content_type: str) -> None:
    for page in PAGES:
        response = app.test_client().post(page, data=b"--x\r\n\r\n", content_type=content_type)
        assert response.status_code < 500
        assert response.mimetype == "text/html"


def test_a_form_over_64_kib_is_too_large(app: APIFlask) -> None:
    for page in set(PAGES) - {"/logout"}:
        for kind in ({"email": "x" * 70_000}, {"email": "x", "more": "y" * 70_000}):
            response = app.test_client().post(page, data=kind)
            assert (response.status_code, response.mimetype) == (413, "text/html"), page


def test_unknown_paths_and_methods(app: APIFlask) -> None:
    client = app.test_client()
    for path in ("/nowhere", "/api/v1/nowhere", "/api/v1/auth/login/", "/account/../x", "/%00",
                 "/%ff", "/dev/mailbox/%00", "/static/../config.py",
                 "/static/%2e%2e/config.py"):  # fmt: skip
        response = client.get(path)
        assert response.status_code == 404, path
        is_api = path.startswith("/api/")
        assert response.mimetype == ("application/problem+json" if is_api else "text/html")
    for path, method in (("/login", "PUT"), ("/account/devices", "POST"),
                         ("/api/v1/auth/login", "GET"), ("/api/v1/auth/login", "DELETE"),
                         ("/healthz", "POST"), ("/", "TRACE"),
                         ("/api/v1/auth/me", "PROPFIND")):  # fmt: skip
        response = client.open(path, method=method)
        assert response.status_code == 405, (path, method)
        assert response.headers["Allow"]
        if path.startswith("/api/"):
            assert response.get_json()["code"] == "method_not_allowed"


def test_any_query_is_no_error_of_ours(app: APIFlask) -> None:
    client = app.test_client()
    for path, method in routes(app):
        if method not in SAFE_METHODS:
            continue
        for query in ("%", "token=%00", "token=%ff", "next=%ff", "q=%00%25_", "a[]=1&a=2", "&&=",
                      "notice=x", "token=" + "x" * 9000, "next=" + "/x" * 5000):  # fmt: skip
            with client.open(f"{path}?{query}", method=method) as response:
                assert response.status_code < 500, (path, query)
