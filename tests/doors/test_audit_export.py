"""The audit trail as a file: whole, in order, and without a line that input could forge."""

import json
from datetime import timedelta
from functools import partial

import pytest
from apiflask import APIFlask

from tests.doors.probes import ALICE, SHELL, create_user, sign_in_by_bearer
from webapp import clock
from webapp.features.ops import flow
from webapp.services import audit
from webapp.services.client import Client
from webapp.stores.transactions import transact


def export(app: APIFlask, *arguments: str) -> list[dict[str, str]]:
    done = app.test_cli_runner().invoke(args=["audit", "export", *arguments])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_happened_is_told_newest_first(app: APIFlask) -> None:
    create_user(app)
    sign_in_by_bearer(app.test_client())
    found = export(app)
    assert found[0]["event"] == "signed_in"
    assert found[0]["at"].endswith("Z")
    assert [event["at"] for event in found] == sorted((e["at"] for e in found), reverse=True)
    assert ALICE not in json.dumps(found)


def test_every_event_is_told_once(app: APIFlask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "_BATCH", 3)
    with app.app_context():
        for number in range(10):
            transact(partial(audit.record, f"event {number}", SHELL))
    assert [event["event"] for event in export(app)] == [f"event {n}" for n in range(9, -1, -1)]


def test_from_a_day_on(app: APIFlask) -> None:
    create_user(app)
    tomorrow = clock.now() + timedelta(days=1)
    assert export(app, "--since", f"{clock.now():%Y-%m-%d}")
    assert export(app, "--since", f"{tomorrow:%Y-%m-%d}") == []


def test_no_browser_forges_a_line(app: APIFlask) -> None:
    with app.app_context():
        transact(lambda: audit.record("signed_in", Client(ip="::1", user_agent='a\n{"id": 1}')))
    [event] = export(app)
    assert event["user_agent"] == 'a\n{"id": 1}'
