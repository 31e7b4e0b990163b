"""Parts of a host's own: what is asked of them, and what they cannot break."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from flask import Flask

from config import SettingsError
from tests.conftest import Closing
from tests.doors.probes import ALICE, bearer, create_user, query, sign_in_by_bearer
from tests.host.conftest import MakeHost
from tests.host.kit import JsonDoorAtHost, latchkey_of, make_host
from tests.processes.kit import wait_until
from tests.support import make_settings
from webapp import OwnParts
from webapp.factory import create_app
from webapp.features.ops import flow as ops
from webapp.services.passwords import Passwords
from webapp.services.protocols import NotDelivered
from webapp.services.stored_users import StoredUsers


class Postbox:
    """Keeps what it is handed, or refuses it as it is told to."""

    def __init__(self, *refusals: Exception) -> None:
        self.refusals = list(refusals)
        self.mails: list[EmailMessage] = []

    def send(self, mail: EmailMessage) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.mails.append(mail)


class Lacking:
    """A part that can do nothing."""

    def __init__(self, app: Flask) -> None:
        self.app = app


def test_a_factory_is_called_once_with_the_host(in_front: MakeHost) -> None:
    calls: list[Flask] = []

    def make_users(app: Flask) -> StoredUsers:
        calls.append(app)
        return StoredUsers()

    host = make_host()
    host.config["ORDER"] = "configured before"
    in_front(host, parts=OwnParts(users=make_users))
    create_user(latchkey_of(host).app)
    for _ in range(3):
        assert JsonDoorAtHost(host).sign_in(ALICE).is_fine
    assert calls == [host]


def test_where_there_is_no_host_it_is_called_with_latchkey(
    database_url: str, closing: Closing
) -> None:
    calls: list[Flask] = []

    class Mine(Passwords):
        def __init__(self, app: Flask) -> None:
            calls.append(app)
            super().__init__(4)

    app = closing(create_app(make_settings(database_url), OwnParts(passwords=Mine)))
    assert calls == [app]
    create_user(app)
    assert app.extensions["latchkey"].passwords.hash("x").startswith("$bcrypt-sha256$")


@pytest.mark.parametrize(
    "name",
    ["users", "passwords", "token_issuer", "token_verifier", "mail_transport", "sessions"],
)
@pytest.mark.parametrize("wrong", [object(), lambda _app: None, Lacking, "a name"])
def test_a_part_that_lacks_a_method_is_refused_at_the_start(
    database_url: str, name: str, wrong: object
) -> None:
    parts = OwnParts(**{name: wrong})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"docs/extending\.md"):
        create_app(make_settings(database_url), parts)


def test_a_part_of_ones_own_leaves_the_others_as_they_are(in_front: MakeHost) -> None:
    plain = latchkey_of(in_front(make_host())).parts
    mine = StoredUsers()
    parts = latchkey_of(in_front(make_host(), parts=OwnParts(users=mine))).parts
    assert parts.users is mine
    for name in ("passwords", "token_issuer", "token_verifier", "throttle", "mailer"):
        assert type(getattr(parts, name)) is type(getattr(plain, name))
    assert parts.token_sources == plain.token_sources or len(parts.token_sources) == 2


@pytest.fixture
def token(in_front: MakeHost) -> str:
    """Alice's access token."""
    host = in_front(make_host())
    create_user(latchkey_of(host).app)
    return str(sign_in_by_bearer(JsonDoorAtHost(host).client)["access_token"])


Ask = Callable[[Flask, str], int]


def by_query(host: Flask, token: str) -> int:
    return host.test_client().get(f"/host/guarded?access_token={token}").status_code


def by_json(host: Flask, token: str) -> int:
    body = {"access_token": token, "text": "a bell"}
    return host.test_client().post("/host/guarded", json=body).status_code


def by_header(host: Flask, token: str) -> int:
    return host.test_client().get("/host/guarded", headers=bearer(token)).status_code


def by_cookie(host: Flask, token: str) -> int:
    client = host.test_client()
    client.set_cookie("access_token", token)
    return client.get("/host/guarded").status_code


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (None, [200, 200, 401, 401]),
        (("header",), [200, 401, 401, 401]),
        (("cookie",), [401, 200, 401, 401]),
        (("json",), [401, 401, 200, 401]),
        (("query",), [401, 401, 401, 200]),
        (("query", "json", "cookie", "header"), [200, 200, 200, 200]),
    ],
)
def test_tokens_are_read_where_it_is_said_and_nowhere_else(
    in_front: MakeHost, token: str, sources: tuple[str, ...] | None, expected: list[int]
) -> None:
    parts = OwnParts(token_sources=sources) if sources else None
    host = in_front(make_host(), parts=parts)
    asked: list[Ask] = [by_header, by_cookie, by_json, by_query]
    assert [ask(host, token) for ask in asked] == expected
    own_api = [
        host.test_client().get("/id/api/v1/auth/me", headers=bearer(token)).status_code,
        host.test_client().get(f"/id/api/v1/auth/me?access_token={token}").status_code,
    ]
    assert own_api == [expected[0], expected[3]]


def test_a_token_in_a_body_leaves_the_body_to_the_host(in_front: MakeHost, token: str) -> None:
    host = in_front(make_host(), parts=OwnParts(token_sources=("json",)))
    body = {"access_token": token, "price": 1.5, "text": "x" * 150_000}
    assert host.test_client().post("/host/guarded-json", json=body).text == "Decimal"


@pytest.mark.parametrize(
    "body",
    [
        "[1]",
        "{",
        '"x"',
        '{"access_token": 5}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_body_that_holds_no_token_is_no_trouble(in_front: MakeHost, body: str | bytes) -> None:
    host = in_front(make_host(), parts=OwnParts(token_sources=("json",)))
    reply = host.test_client().post("/host/guarded", data=body, content_type="application/json")
    assert (reply.status_code, reply.get_json()["code"]) == (401, "not_signed_in")


def deliver(host: Flask) -> tuple[int, int]:
    """Deliver what is due; return how many went out and how many did not."""
    with latchkey_of(host).app.app_context():
        tally = ops.deliver_mail()
    return tally.delivered, tally.failed


def states(host: Flask) -> list[tuple[object, ...]]:
    """Return what became of each message: delivered, to be tried again, and why."""
    statement = "SELECT delivered_at IS NOT NULL, due_at IS NOT NULL, last_error FROM outbox"
    return query(latchkey_of(host).app, statement)


@pytest.fixture
def with_postbox(in_front: MakeHost) -> Callable[..., tuple[Flask, Postbox]]:
    """A function that makes a host whose mail goes into a box, and has somebody sign up."""

    def make(*refusals: Exception) -> tuple[Flask, Postbox]:
        box = Postbox(*refusals)
        host = in_front(make_host(), parts=OwnParts(mail_transport=box))
        latchkey_of(host).parts.mailer.wake = lambda: None  # type: ignore[method-assign]
        assert JsonDoorAtHost(host).sign_up(ALICE).is_fine
        return host, box

    return make


def test_a_transport_is_handed_whole_messages(
    with_postbox: Callable[..., tuple[Flask, Postbox]],
) -> None:
    host, box = with_postbox()
    assert deliver(host) == (1, 0)
    (mail,) = box.mails
    assert (mail["To"], mail["From"], bool(mail["Message-ID"])) == (
        ALICE,
        "no-reply@localhost",
        True,
    )
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "/id/verify-email?token=" in body.get_content()
    assert states(host) == [(1, 0, None)]


@pytest.mark.parametrize(
    ("refusal", "is_tried_again", "words"),
    [
        (NotDelivered("come back\nlater"), 1, "come back later"),
        (NotDelivered("never", is_final=True), 0, "never"),
        (ConnectionRefusedError("nobody there"), 1, "ConnectionRefusedError: nobody there"),
    ],
)
def test_what_did_not_go_out_is_kept_with_the_reason(
    with_postbox: Callable[..., tuple[Flask, Postbox]],
    refusal: Exception,
    is_tried_again: int,
    words: str,
) -> None:
    host, box = with_postbox(refusal)
    assert deliver(host) == (0, 1)
    assert states(host) == [(0, is_tried_again, words)]
    assert box.mails == []


def test_the_mail_thread_uses_it(in_front: MakeHost) -> None:
    box = Postbox()
    host = in_front(make_host(), parts=OwnParts(mail_transport=box))
    assert JsonDoorAtHost(host).sign_up(ALICE).is_fine
    wait_until(lambda: bool(box.mails))
    latchkey_of(host).parts.mailer.stop()
    assert [mail["To"] for mail in box.mails] == [ALICE]


def test_the_shell_delivers_with_it(in_front: MakeHost) -> None:
    host = in_front(make_host(), parts=OwnParts(mail_transport=Postbox()))
    done = host.test_cli_runner().invoke(args=["latchkey", "mail", "deliver"])
    assert done.output == "0 delivered, 0 to be tried again or given up.\n"
    without = in_front(make_host()).test_cli_runner().invoke(args=["latchkey", "mail", "deliver"])
    assert (without.exit_code, "SMTP_URL" in without.output) == (1, True)
