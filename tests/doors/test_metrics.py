"""What monitoring reads at GET /metrics: numbers, and nothing about anybody."""

import secrets
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from apiflask import APIFlask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from tests.account_kit import ALICE, AccountJson, disable, in_store, later, signed_in
from tests.conftest import MakeApp
from tests.doors_kit import Door, JsonDoor
from tests.support import PASSWORD, free_port, parts_of
from webapp import clock
from webapp.extensions import db
from webapp.services.ids import new_id
from webapp.services.metrics import FORMAT
from webapp.services.passwords import Passwords
from webapp.stores import outbox


def scrape(app: APIFlask) -> dict[str, float]:
    """Return the samples, each by its name and its labels."""
    reply = app.test_client().get("/metrics")
    assert (reply.status_code, reply.content_type) == (200, FORMAT)
    return samples_of(reply.text)


def samples_of(text: str) -> dict[str, float]:
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    return {name_of(sample.name, sample.labels): sample.value for sample in samples}


def name_of(name: str, labels: dict[str, str]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in sorted(labels.items()))])


def test_requests_are_counted_by_route_and_status(app: APIFlask) -> None:
    door = signed_in(AccountJson(app))
    for session_id in ("one", "two", "three"):
        assert door.end_session(session_id).status == 404
    found = scrape(app)
    name = "latchkey_request_duration_seconds_count"
    assert found[f"{name} method=POST route=/api/v1/auth/login status=200"] == 1
    route = "/api/v1/auth/sessions/<session_id>"
    assert found[f"{name} method=DELETE route={route} status=404"] == 3
    total = "latchkey_request_duration_seconds_sum method=POST route=/api/v1/auth/login status=200"
    assert 0 < found[total] < 30


def test_whatever_strangers_ask_for_makes_no_new_labels(app: APIFlask) -> None:
    client = app.test_client()
    client.get("/a")
    client.open("/a", method="BREW")
    before = scrape(app)
    for _ in range(20):
        client.get(f"/{secrets.token_hex(8)}?{secrets.token_hex(8)}")
        client.open(f"/{secrets.token_hex(8)}", method=secrets.token_hex(4).upper())
        client.get(f"/static/{secrets.token_hex(8)}.css")
    after = scrape(app)
    new = {name for name in set(after) - set(before) if "route=none" in name}
    assert not new
    assert len(set(after) - set(before)) < 40
    assert after["latchkey_request_duration_seconds_count method=GET route=none status=404"] == 21


def test_sign_ins_are_counted_by_result(app: APIFlask, door: Door) -> None:
    door.make_account(ALICE)
    assert door.sign_up("eve@example.com").is_fine
    door.sign_in(ALICE, "wrong horse 99")
    door.sign_in("nobody@example.com")
    door.sign_in("eve@example.com")
    door.sign_in(ALICE)
    disable(app)
    door.another_browser().sign_in(ALICE)
    found = {name: value for name, value in scrape(app).items() if "sign_ins_total" in name}
    # The link signs in the browser that signed up, too.
    results = {"signed_in": 2, "wrong_password": 1, "unknown_address": 1, "email_not_verified": 1}
    assert found == {
        f"latchkey_sign_ins_total result={result}": count
        for result, count in (results | {"disabled": 1}).items()
    }


def test_too_many_tries_are_a_result_too(make_app: MakeApp) -> None:
    door = JsonDoor(make_app(rate_limits=True))
    statuses = [door.sign_in(ALICE, "wrong horse 99").status for _ in range(12)]
    found = scrape(door.app)["latchkey_sign_ins_total result=too_many_attempts"]
    assert found == statuses.count(429) > 0


def test_refreshes_are_counted_by_what_became_of_them(app: APIFlask) -> None:
    door = signed_in(JsonDoor(app))
    first = door.cookie("refresh_token", "/api/v1/auth/refresh") or ""
    assert door.refresh().is_fine
    assert door.refresh().is_fine
    for minutes in (1, 2):
        with later(minutes=minutes):
            assert door.refresh().is_fine
    thief = app.test_client()
    with later(minutes=3):
        for _ in range(2):
            headers = {"Authorization": f"Bearer {first}"}
            assert thief.post("/api/v1/auth/refresh", headers=headers).status_code == 401
    found = scrape(app)
    counted = {name: value for name, value in found.items() if "refreshes_total" in name}
    assert counted == {
        "latchkey_refreshes_total outcome=rotated": 3,
        "latchkey_refreshes_total outcome=repeated": 1,
        "latchkey_refreshes_total outcome=reused": 1,
        "latchkey_refreshes_total outcome=token_revoked": 1,
    }


def test_mail_that_waits_is_told_with_its_age(make_app: MakeApp) -> None:
    app = make_app(smtp_url=f"smtp://localhost:{free_port()}")
    assert scrape(app)["latchkey_mail_waiting"] == 0
    now = clock.now()
    for minutes in (90, 5):
        message = outbox.Message(
            id=new_id(),
            template="verify_email",
            user_id=new_id(),
            recipient=ALICE,
            subject="Hello",
            text="Hello",
            html="Hello",
            created_at=now - timedelta(minutes=minutes),
            attempts=1,
            due_at=now + timedelta(hours=1),
        )
        in_store(app, partial(outbox.add, message))
    found = scrape(app)
    assert found["latchkey_mail_waiting"] == 2
    assert 90 * 60 <= found["latchkey_mail_waiting_seconds"] < 91 * 60


def test_a_scrape_asks_the_database_once(app: APIFlask) -> None:
    scrape(app)
    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    scrape(app)
    assert len(statements) == 1


def test_a_database_that_is_down_is_told_and_does_not_stop_it(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(database_url=f"sqlite:///{tmp_path}/empty.db")
    found = scrape(app)
    assert found["latchkey_database_up"] == 0
    assert "latchkey_mail_waiting" not in found


def test_the_queue_for_hashes_is_told(app: APIFlask) -> None:
    passwords = parts_of(app).passwords
    assert isinstance(passwords, Passwords)
    with passwords._turn(), passwords._turn():
        assert scrape(app)["latchkey_password_hashes_pending"] == 2
    assert scrape(app)["latchkey_password_hashes_pending"] == 0


def test_nothing_of_anybody_is_in_it(app: APIFlask) -> None:
    door = AccountJson(app)
    signed_in(door)
    door.refresh()
    me = door.client.get("/api/v1/auth/me").get_json()
    session = door.client.get("/api/v1/auth/sessions").get_json()["data"][0]
    text = app.test_client().get("/metrics").text
    for secret in (ALICE, "alice", me["id"], session["id"], session["ip"], PASSWORD):
        assert secret not in text


def test_a_request_that_cannot_be_measured_is_answered_all_the_same(
    app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise FileNotFoundError("the folder was cleared away")

    monkeypatch.setattr(parts_of(app).metrics, "observe_request", fail)
    assert app.test_client().get("/healthz").status_code == 200
