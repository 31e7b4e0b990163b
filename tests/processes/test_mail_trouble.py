"""Mail servers that are down, hang, drop or refuse: nothing is lost, and nobody notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.doors_kit import JsonDoor
from tests.processes.outbox_kit import deliver, due_at, message, put
from tests.processes.smtp_kit import (
    Postbox,
    drop_in_the_middle,
    mail_server,
    never_answer,
    rude_server,
)
from tests.support import free_port, parts_of
from webapp import clock
from webapp.services import smtp


@contextmanager
def later(moment: datetime) -> Iterator[None]:
    """Be at a moment, and a little after it."""
    with time_machine.travel(moment + timedelta(seconds=0.1)):
        yield


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a reply for half a second, where the site would wait for twenty."""
    monkeypatch.setattr(smtp, "_TIMEOUT", 0.5)


def pause(app: APIFlask) -> float:
    """Return how many seconds from now the message is tried again."""
    return (due_at(app) - clock.now()).total_seconds()


def test_a_refused_connection_is_tried_again_and_succeeds(app: APIFlask) -> None:
    put(app)
    port = free_port()
    assert deliver(app, f"smtp://localhost:{port}").failed == 1
    assert 4 <= pause(app) <= 5

    postbox = Postbox()
    with mail_server(postbox, port=port), later(due_at(app)):
        assert deliver(app, f"smtp://localhost:{port}").delivered == 1
    assert len(postbox.letters) == 1
    assert message(app).due_at is None
    assert message(app).last_error is None


def test_nothing_is_tried_again_before_its_time(app: APIFlask) -> None:
    put(app)
    deliver(app, f"smtp://localhost:{free_port()}")
    postbox = Postbox()
    with mail_server(postbox) as port:
        assert deliver(app, f"smtp://localhost:{port}").delivered == 0
    assert not postbox.letters


def test_the_pauses_grow_until_it_is_given_up_after_some_days(app: APIFlask) -> None:
    put(app)
    began, now = clock.now(), clock.now()
    url = f"smtp://localhost:{free_port()}"
    pauses: list[float] = []
    for _ in range(20):
        with later(now):
            deliver(app, url)
            if message(app).due_at is None:
                break
            pauses.append(pause(app))
        now = due_at(app)
    assert 4 <= pauses[0] <= 5
    assert pauses == sorted(set(pauses))
    assert timedelta(days=1) < now - began < timedelta(days=4)
    given_up = message(app)
    assert given_up.due_at is None
    assert given_up.delivered_at is None
    assert "refused" in (given_up.last_error or "")


@pytest.mark.usefixtures("short_patience")
def test_a_server_that_never_answers_is_given_up_for_now(app: APIFlask) -> None:
    put(app)
    with rude_server(never_answer) as port:
        assert deliver(app, f"smtp://localhost:{port}").failed == 1
    assert 4 <= pause(app) <= 5
    assert message(app).last_error == "the mail server did not answer in time"


@pytest.mark.usefixtures("short_patience")
def test_a_connection_dropped_in_the_middle_is_tried_again(app: APIFlask) -> None:
    put(app)
    with rude_server(drop_in_the_middle) as port:
        assert deliver(app, f"smtp://localhost:{port}").failed == 1
    postbox = Postbox()
    with mail_server(postbox) as port, later(due_at(app)):
        assert deliver(app, f"smtp://localhost:{port}").delivered == 1


@pytest.mark.parametrize(
    "refusing",
    [
        Postbox(refuse_recipient="450 4.2.1 mailbox busy"),
        Postbox(refuse_data="451 4.3.0 come back later"),
        Postbox(refuse_recipient="452 4.2.2 mailbox full"),
    ],
    ids=["recipient busy", "message later", "mailbox full"],
)
def test_a_refusal_for_now_is_tried_again(app: APIFlask, refusing: Postbox) -> None:
    put(app)
    with mail_server(refusing) as port:
        assert deliver(app, f"smtp://localhost:{port}").failed == 1
    postbox = Postbox()
    with mail_server(postbox) as port, later(due_at(app)):
        assert deliver(app, f"smtp://localhost:{port}").delivered == 1


@pytest.mark.parametrize(
    "refusing",
    [
        Postbox(refuse_recipient="550 5.1.1 no such mailbox"),
        Postbox(refuse_data="554 5.7.1 no such mailbox"),
    ],
    ids=["recipient", "message"],
)
def test_a_refusal_for_good_is_given_up_and_says_why(app: APIFlask, refusing: Postbox) -> None:
    put(app)
    with mail_server(refusing) as port:
        assert deliver(app, f"smtp://localhost:{port}").failed == 1
    assert message(app).due_at is None
    assert message(app).delivered_at is None
    assert "no such mailbox" in (message(app).last_error or "")


def test_a_wrong_password_for_the_server_is_tried_again(app: APIFlask) -> None:
    """An operator can mend that; the mail of the meantime is not lost."""
    put(app)
    postbox = Postbox()
    with mail_server(postbox, login=("id", "right")) as port:
        deliver(app, f"smtp://id:wrong@localhost:{port}")
        assert not postbox.letters
        with later(due_at(app)):
            deliver(app, f"smtp://id:right@localhost:{port}")
    assert len(postbox.letters) == 1


def test_a_message_keeps_its_id_over_all_tries(app: APIFlask) -> None:
    """So that a mailbox can tell when the server's yes was lost and the message came twice."""
    put(app)
    postbox = Postbox(refuse_data="451 4.3.0 come back later")
    with mail_server(postbox) as port:
        deliver(app, f"smtp://localhost:{port}")
        postbox.refuse_data = None
        with later(due_at(app)):
            deliver(app, f"smtp://localhost:{port}")
    assert [letter.id for letter in postbox.refused] == [letter.id for letter in postbox.letters]


def test_one_bad_recipient_holds_nobody_else_up(app: APIFlask) -> None:
    put(app, recipient="renée@example.com")
    put(app, recipient="bob@example.com")
    postbox = Postbox(refuse_recipient="550 5.1.1 no such mailbox")
    with mail_server(postbox) as port:
        assert deliver(app, f"smtp://localhost:{port}").failed == 2
    put(app, recipient="carol@example.com")
    postbox.refuse_recipient = None
    with mail_server(postbox) as port:
        assert deliver(app, f"smtp://localhost:{port}").delivered == 1


@pytest.mark.usefixtures("short_patience")
def test_sign_up_answers_the_same_while_the_server_is_down_or_hangs(make_app: MakeApp) -> None:
    with rude_server(never_answer) as hanging:
        answers = set()
        for port in (free_port(), hanging):
            app = make_app(smtp_url=f"smtp://localhost:{port}")
            door = JsonDoor(app)
            door.make_account(f"known-{port}@example.com")
            for email in (f"known-{port}@example.com", f"unknown-{port}@example.com"):
                answer = door.another_browser().sign_up(email)
                answers.add((answer.status, answer.text))
            parts_of(app).mailer.stop()
    assert len(answers) == 1
    assert answers.pop()[0] == 202
