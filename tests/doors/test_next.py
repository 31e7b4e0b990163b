"""Where one goes after signing in: a path of this site, and never anywhere else."""

from urllib.parse import urljoin, urlsplit

import pytest
from apiflask import APIFlask

from tests.doors.probes import ALICE, create_user
from tests.doors_kit import PagesDoor
from tests.support import PASSWORD

LOCAL = ["/account", "/logout", "/account?a=1&b=%2F", "/account#part", "/a//b", "/account/%5Cevil"]
TRICKS = [
    "", "account", "evil.example", "//evil.example", "///evil.example", "////evil.example",
    "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "\\/evil.example",
    "https://evil.example", "http:evil.example", "https:/evil.example", "HTTPS://evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "mailto:x@y.z",
    "%2f%2fevil.example", "%2F%2Fevil.example", "/\t/evil.example", "\t//evil.example",
    "/\n/evil.example", "/\r\n/evil.example", " //evil.example", "/ /evil.example",
    "/\0/evil.example", "/\x0b/evil.example", "/\x7f/evil.example", "?x=//evil.example",
    "@evil.example", ".evil.example", ":80", "/account\r\nSet-Cookie: x=1", "/" + "a" * 3000,
]  # fmt: skip
BORDERLINE = ["/%2f%2fevil.example", "/%09/evil.example", "/.//evil.example", "/..//evil.example",
              "/@evil.example", "/é€", "/\u2028/evil.example", "/\u3000/evil", "/\x85/evil",
              "/[x]", "/:80/evil.example", "/;//evil.example"]  # fmt: skip


def location_after_sign_in(app: APIFlask, target: str) -> str:
    create_user(app)
    door = PagesDoor(app)
    answer = door.submit("/login", email=ALICE, password=PASSWORD, next=target)
    assert answer.status == 303
    assert answer.response.headers.get_all("Set-Cookie")
    return str(answer.response.headers["Location"])


def is_local(location: str) -> bool:
    """Whether a browser at our site stays there."""
    cleaned = "".join(char for char in location if char not in "\t\r\n").strip()
    cleaned = cleaned.replace("\\", "/")
    return urlsplit(urljoin("http://localhost/login", cleaned)).netloc == "localhost"


@pytest.mark.parametrize("target", LOCAL)
def test_a_local_path_is_where_one_goes(app: APIFlask, target: str) -> None:
    assert location_after_sign_in(app, target) == target


@pytest.mark.parametrize("target", TRICKS, ids=range(len(TRICKS)))
def test_anything_else_is_ignored(app: APIFlask, target: str) -> None:
    assert location_after_sign_in(app, target) == "/account"


@pytest.mark.parametrize("target", BORDERLINE, ids=range(len(BORDERLINE)))
def test_a_strange_path_stays_here(app: APIFlask, target: str) -> None:
    location = location_after_sign_in(app, target)
    assert location.startswith("/")
    assert is_local(location)


@pytest.mark.parametrize("target", [*TRICKS, *BORDERLINE], ids=range(len(TRICKS + BORDERLINE)))
def test_no_page_passes_a_strange_target_on(app: APIFlask, target: str) -> None:
    for page in ("/login", "/signup"):
        response = app.test_client().get(page, query_string={"next": target})
        assert response.status_code == 200
        if target in TRICKS:
            assert 'name="next" type="hidden" value="/account"' in response.text


def test_whoever_is_signed_in_is_sent_on_at_once(app: APIFlask) -> None:
    create_user(app)
    door = PagesDoor(app)
    door.sign_in(ALICE)
    for page in ("/login", "/signup"):
        for target, expected in (("/logout", "/logout"), ("//evil.example", "/account")):
            response = door.client.get(page, query_string={"next": target})
            assert (response.status_code, response.location) == (303, expected)


def test_a_page_that_needs_a_sign_in_comes_back_to_itself(app: APIFlask) -> None:
    create_user(app)
    door = PagesDoor(app)
    response = door.client.get("/account?tab=1")
    assert (response.status_code, response.location) == (303, "/login?next=/account%3Ftab%3D1")
    page = door.client.get(response.location)
    assert 'value="/account?tab=1"' in page.text
