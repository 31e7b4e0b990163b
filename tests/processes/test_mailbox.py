"""The development mailbox: mail that would have been sent, to read in the browser."""

import re
from html import unescape

from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.doors_kit import JsonDoor
from tests.support import find_link, token_in


def open_newest(client: FlaskClient) -> str:
    """Click on the newest message; return its address."""
    found = re.search(r'href="(/dev/mailbox/[\w-]{36})"', client.get("/dev/mailbox").text)
    assert found, "no message in the mailbox"
    return found[1]


def test_an_empty_mailbox_says_so(client: FlaskClient) -> None:
    response = client.get("/dev/mailbox")
    assert response.status_code == 200
    assert "/dev/mailbox/" not in response.text


def test_the_link_in_the_mailbox_works(app: APIFlask, client: FlaskClient) -> None:
    door = JsonDoor(app)
    door.sign_up("alice@example.com")
    page = unescape(client.get(open_newest(client)).text)
    assert "alice@example.com" in page
    assert door.verify(token_in(find_link(page))).is_fine


def test_the_newest_message_comes_first(app: APIFlask, client: FlaskClient) -> None:
    for name in ("alice", "bob"):
        JsonDoor(app).sign_up(f"{name}@example.com")
    page = client.get("/dev/mailbox").text
    assert page.index("bob@example.com") < page.index("alice@example.com")


def test_messages_are_found_by_their_recipient(app: APIFlask, client: FlaskClient) -> None:
    for name in ("alice", "bob"):
        JsonDoor(app).sign_up(f"{name}@example.com")
    page = client.get("/dev/mailbox?q=BOB").text
    assert "bob@example.com" in page
    assert "alice@example.com" not in page
    assert "alice@example.com" not in client.get("/dev/mailbox?q=%25").text


def test_the_page_of_a_message_is_shown_where_it_can_do_nothing(
    app: APIFlask, client: FlaskClient
) -> None:
    JsonDoor(app).sign_up("alice@example.com")
    response = client.get(open_newest(client) + "/html")
    assert response.text.startswith("<!doctype html>")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy


def test_a_message_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert client.get("/dev/mailbox/nothing").status_code == 404


def test_production_has_no_mailbox(make_app: MakeApp) -> None:
    app = make_app(app_env="production", base_url="https://id.example.org", bcrypt_cost=10)
    assert app.test_client().get("/dev/mailbox").status_code == 404
