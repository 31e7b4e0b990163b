"""Proving an address with the link that was mailed to it."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.database_kit import on_every_database
from tests.doors.probes import (
    ALICE,
    BOB,
    audited,
    cookies_set,
    create_user,
    dump,
    execute,
    mailed,
    query,
    without_chance,
)
from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.support import PASSWORD, find_link, token_in
from webapp import clock

pytestmark = on_every_database

REFRESH = "/api/v1/auth/refresh"


def test_opening_the_link_uses_nothing_up(app: APIFlask, door: Door) -> None:
    door.sign_up(ALICE)
    token = door.mailed_token(ALICE)
    before = dump(app)
    scanner = app.test_client()
    for _ in range(3):
        assert scanner.get("/verify-email", query_string={"token": token}).status_code == 200
        assert scanner.head("/verify-email", query_string={"token": token}).status_code == 200
    assert dump(app) == before
    assert door.verify(token).is_fine


def test_the_page_says_whose_account_it_is_before_anything_happens(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_up(ALICE, name="Alice")
    page = app.test_client().get(find_link(door.mails(ALICE)[0].text))
    assert ALICE in page.text
    assert "I did not make this account" in page.text


def test_the_browser_that_signed_up_is_signed_in(door: Door) -> None:
    door.sign_up(ALICE)
    assert door.verify(door.mailed_token(ALICE)).is_fine
    assert door.who_am_i() == ALICE


def test_another_browser_is_not_signed_in(app: APIFlask, door: Door) -> None:
    door.sign_up(ALICE)
    other = door.another_browser()
    answer = other.verify(other.mailed_token(ALICE))
    assert answer.is_fine
    assert not {"access_token", "refresh_token"} & cookies_set(answer.response).keys()
    assert other.who_am_i() is None
    assert query(app, "SELECT * FROM sessions") == []
    assert other.sign_in(ALICE).is_fine


def test_another_browser_is_led_to_sign_in(app: APIFlask) -> None:
    door, other = PagesDoor(app), PagesDoor(app)
    door.sign_up(ALICE)
    location = other.verify(door.mailed_token(ALICE)).response.location
    assert location == "/login?notice=email_verified"
    assert "confirmed" in other.client.get(location).text


def test_a_browser_that_signed_up_with_another_address_is_not_signed_in(door: Door) -> None:
    door.sign_up(ALICE)
    eve = door.another_browser()
    eve.sign_up("eve@example.com")
    assert eve.verify(door.mailed_token(ALICE)).is_fine
    assert eve.who_am_i() is None


def test_whoever_did_not_make_the_account_can_remove_it(app: APIFlask) -> None:
    thief, owner = PagesDoor(app), PagesDoor(app)
    thief.sign_up(ALICE)
    token = owner.mailed_token(ALICE)
    link = f"/verify-email?token={token}"
    assert owner.submit(link, "/verify-email", token=token, answer="remove").status == 200
    assert query(app, "SELECT * FROM users") == []
    assert "account_disowned" in audited(app)
    assert thief.sign_in(ALICE).status == 401
    assert owner.verify(token).status == 400
    assert owner.sign_up(ALICE).is_fine


def test_a_proved_account_cannot_be_removed_by_an_old_link(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_up(ALICE)
    token = door.mailed_token(ALICE)
    door.verify(token)
    page = PagesDoor(app)
    assert page.submit("/login", "/verify-email", token=token, answer="remove").status == 400
    assert len(query(app, "SELECT * FROM users")) == 1


def test_every_link_that_does_not_work_is_answered_alike(app: APIFlask, door: Door) -> None:
    door.sign_up(BOB)
    superseded = door.mailed_token(BOB)
    door.resend(BOB)
    other_purpose = door.mailed_token(BOB)
    execute(app, "UPDATE one_time_tokens SET purpose = 'reset_password'")
    door.sign_up(ALICE)
    used = door.mailed_token(ALICE)
    door.another_browser().verify(used)
    tokens = [used, superseded, other_purpose, "", "x", used[:-1], used + "x", "\0", "é" * 43,
              "A" * 43, "A" * 5000, used.swapcase(), " " + used]  # fmt: skip
    browser = door.another_browser()
    browser.verify("to have the cookies that a first page sets")
    answers = [browser.verify(token) for token in tokens]
    assert {answer.status for answer in answers} == {400}
    assert {answer.code for answer in answers} <= {"token_invalid", None}
    assert len({repr(_alike(answer.response)) for answer in answers}) == 1


def test_a_used_link_stays_used_whatever_becomes_of_the_account(app: APIFlask, door: Door) -> None:
    door.sign_up(ALICE)
    token = door.mailed_token(ALICE)
    door.another_browser().verify(token)
    execute(app, "UPDATE users SET email_verified_at = NULL")
    assert door.verify(token).status == 400


def test_a_link_works_for_24_hours(door: Door) -> None:
    door.sign_up(ALICE)
    token = door.mailed_token(ALICE)
    sent_at = clock.now()
    with time_machine.travel(sent_at + timedelta(hours=24, seconds=1)):
        answer = door.verify(token)
        assert (answer.status, answer.code) in [(400, "token_invalid"), (400, None)]
    with time_machine.travel(sent_at + timedelta(hours=23, minutes=59)):
        assert door.verify(token).is_fine


def test_a_newer_link_ends_the_older_one(door: Door) -> None:
    door.sign_up(ALICE)
    older = door.mailed_token(ALICE)
    door.resend(ALICE)
    newer = door.mailed_token(ALICE)
    assert older != newer
    assert door.verify(older).status == 400
    assert door.verify(newer).is_fine


def test_a_link_of_a_disabled_account_does_not_work(app: APIFlask, door: Door) -> None:
    door.sign_up(ALICE)
    execute(app, "UPDATE users SET disabled_at = '2026-01-01'")
    assert door.verify(door.mailed_token(ALICE)).status == 400


def test_a_token_is_a_string(app: APIFlask) -> None:
    door = JsonDoor(app)
    for body in ({}, {"token": None}, {"token": 1}, {"token": ["x"]}):
        answer = door.post("email/verify", body)
        assert (answer.status, answer.code) == (422, "validation_failed")
        assert answer.fields == {"token"}


def test_access_and_refresh_tokens_prove_no_address(app: APIFlask) -> None:
    door = JsonDoor(app)
    door.make_account(BOB)
    door.sign_in(BOB)
    for token in (door.cookie("access_token"), door.cookie("refresh_token", REFRESH)):
        assert token
        assert door.verify(token).code == "token_invalid"


def test_of_sixteen_who_try_at_once_one_gets_it(app: APIFlask) -> None:
    door = JsonDoor(app)
    door.sign_up(ALICE)
    token, start, statuses = door.mailed_token(ALICE), Barrier(16), Counter[int]()

    def verify(client: FlaskClient) -> None:
        start.wait()
        response = client.post("/api/v1/auth/email/verify", json={"token": token})
        statuses[response.status_code] += 1

    threads = [Thread(target=verify, args=(app.test_client(),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {204: 1, 400: 15}
    assert audited(app).count("email_verified") == 1


def test_tokens_are_kept_as_digests_only(app: APIFlask) -> None:
    door = PagesDoor(app)
    door.sign_up(ALICE)
    token = door.mailed_token(ALICE)
    assert token in repr(dump(app).pop("outbox")), "the mail itself, which waits to be sent"
    assert token in _bytes_of(app)
    assert token not in _bytes_of(app, without="outbox")
    assert PASSWORD not in _bytes_of(app)


def test_a_new_link_is_answered_alike_for_every_address(app: APIFlask, door: Door) -> None:
    create_user(app, BOB)
    door.another_browser().sign_up(ALICE)
    door.resend("warm@example.com")
    addresses = ("nobody@example.com", BOB, ALICE, f"  {ALICE.upper()} ")
    answers = [door.resend(address) for address in addresses]
    assert all(answer.is_fine for answer in answers)
    assert len({repr(without_chance(answer.response)) for answer in answers}) == 1
    assert mailed(app, BOB) == []
    assert mailed(app, ALICE) == ["verify_email"] * 3


def test_a_new_link_still_signs_the_same_browser_in(door: Door) -> None:
    door.sign_up(ALICE)
    door.resend(ALICE)
    door.verify(door.mailed_token(ALICE))
    assert door.who_am_i() == ALICE


def test_a_new_link_that_somebody_else_asked_for_signs_nobody_in(door: Door) -> None:
    eve, owner = door.another_browser(), door.another_browser()
    eve.resend("nobody@example.com")
    owner.sign_up(ALICE)
    eve.resend(ALICE)
    assert eve.verify(eve.mailed_token(ALICE)).is_fine
    assert eve.who_am_i() is None


@pytest.mark.parametrize("address", ["", "alice", "alice@example"])
def test_a_new_link_needs_an_address(door: Door, address: str) -> None:
    answer = door.resend(address)
    assert answer.status == 422
    assert answer.fields == {"email"}


def test_links_are_built_from_base_url_alone(app: APIFlask) -> None:
    app.test_client().post(
        "/api/v1/auth/signup",
        json={"email": ALICE, "password": PASSWORD},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )  # fmt: skip
    (mail,) = JsonDoor(app).mails(ALICE)
    assert find_link(mail.text).startswith("http://localhost:5000/verify-email?token=")
    assert "evil.example" not in mail.text + mail.html
    assert len(token_in(find_link(mail.text))) == 43


def _alike(response: TestResponse) -> object:
    status, body, headers = without_chance(response)
    return status, "\n".join(line for line in body.splitlines() if "this number" not in line), [
        header for header in headers if header[0] != "Content-Length"
    ]  # fmt: skip


def _bytes_of(app: APIFlask, without: str = "") -> str:
    """Return the database file as it lies on the disk, with a table emptied first.

    A server's files are not ours to read: there it is every row of every table.
    """
    if not app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        return repr({name: rows for name, rows in dump(app).items() if name != without})
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if without:
            connection.execute(f"DELETE FROM {without}")
            connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(path).read_bytes().decode("latin-1")
