"""What happened lately, as its owner sees it."""

import ast
from pathlib import Path

from apiflask import APIFlask

from config import ROOT
from tests.account_kit import ALICE, BOB, AccountPages, move, signed_in
from webapp.features.profile.events import SENTENCES

SOURCES = sorted((ROOT / "webapp").rglob("*.py"))


def recorded_in(source: Path) -> set[str]:
    """Return the names of the audit events that a file records."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        is_call = isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record"
        if is_call and isinstance(node, ast.Call):
            strings = [c for c in ast.walk(node.args[0]) if isinstance(c, ast.Constant)]
            assert strings, f"{source}:{node.lineno} records an event without a name of its own"
            names |= {str(constant.value) for constant in strings}
    return names


def test_every_event_has_a_sentence_and_every_sentence_an_event() -> None:
    recorded = set().union(*(recorded_in(source) for source in SOURCES))
    assert recorded == set(SENTENCES)


def test_no_two_events_read_alike() -> None:
    assert len(set(SENTENCES.values())) == len(SENTENCES)


def test_what_one_did_is_shown(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    AccountPages(app).sign_in(ALICE, "a wrong guess")
    door.submit("/account", name="Alice")
    move(door, "alice@new.example")
    door.change_password("a wrong guess")
    door.change_password()
    page = door.client.get("/account/security").text
    for event in (
        "signed_up",
        "email_verified",
        "signed_in",
        "sign_in_failed",
        "renamed",
        "email_change_requested",
        "email_changed",
        "password_check_failed",
        "password_changed",
    ):
        assert SENTENCES[event] in page


def test_where_it_came_from_is_shown(app: APIFlask) -> None:
    door = AccountPages(app)
    door.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Firefox/145.0"
    page = signed_in(door).client.get("/account/security").text
    assert "Firefox on Windows, 127.0.0.1" in page


def test_only_ones_own_events_are_shown(app: APIFlask) -> None:
    signed_in(AccountPages(app), BOB).submit("/account", name="Bob")
    page = signed_in(AccountPages(app)).client.get("/account/security").text
    assert SENTENCES["renamed"] not in page
