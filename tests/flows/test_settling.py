"""Read, decide, change, each by itself: what happens in between is seen, and decided anew."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from apiflask import APIFlask

from tests.database_kit import before_statements, on_every_database
from tests.redis_kit import change_session, stored_session
from tests.store_kit import Person
from webapp import clock
from webapp.errors import RefreshReused, TemporarilyUnavailable, TokenRevoked
from webapp.extensions import db
from webapp.services import sessions, tokens
from webapp.services.client import Client
from webapp.stores import transactions
from webapp.stores.sessions import Session
from webapp.stores.transactions import LostRace, until_settled

pytestmark = on_every_database

CLIENT = Client(ip="192.0.2.7", user_agent="a test")


def test_a_race_lost_is_decided_anew() -> None:
    runs: list[int] = []

    def work() -> str:
        runs.append(1)
        if len(runs) < 4:
            raise LostRace
        return "decided"

    assert until_settled(work) == "decided"
    assert len(runs) == 4


def test_races_lost_for_too_long_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "_PATIENCE", 0.3)
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        raise LostRace

    began = time.monotonic()
    with pytest.raises(TemporarilyUnavailable):
        until_settled(work)
    assert 0.3 <= time.monotonic() - began < 3
    assert len(runs) > 2


def test_another_error_is_not_decided_anew() -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        raise TokenRevoked

    with pytest.raises(TokenRevoked):
        until_settled(work)
    assert len(runs) == 1


# A refresh, and what comes between its reading and its swap.


@pytest.fixture
def alice(app: APIFlask) -> Iterator[Person]:
    """Somebody with an account, and an application at hand."""
    with app.app_context():
        yield Person(app)


def refresh(session: Session) -> sessions.SignedIn:
    """Present the session's refresh token."""
    encoded = tokens.issue_refresh(session, clock.now())
    return sessions.refresh(tokens.read_refresh(encoded), CLIENT)


class Between:
    """Does something before the first swap that a refresh sends, and counts them."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.is_acting = False
        self.swaps = 0

    def __call__(self, statement: str) -> None:
        if statement.startswith("UPDATE sessions SET generation") and not self.is_acting:
            self.swaps += 1
            if self.swaps == 1:
                self.is_acting = True
                self.act()
                self.is_acting = False


def test_a_sign_out_in_between_wins(alice: Person) -> None:
    session = alice.begin()
    ended = {"ended_at": clock.now(), "end_reason": "signed_out"}
    between = Between(lambda: change_session(alice.app, session.id, **ended))
    with before_statements(db.engine, between), pytest.raises(TokenRevoked):
        refresh(session)
    assert between.swaps == 1
    assert stored_session(alice.app, session.id).generation == 1


def test_another_tab_in_between_gives_both_the_same_successor(alice: Person) -> None:
    session = alice.begin()
    moved = {"generation": 2, "parent": 1, "rotated_at": clock.now()}
    between = Between(lambda: change_session(alice.app, session.id, **moved))
    with before_statements(db.engine, between):
        ours = refresh(session)
    assert between.swaps == 1, "in vain, and no second one"
    assert ours.session.generation == 2
    assert stored_session(alice.app, session.id).generation == 2


def test_a_token_that_was_used_up_in_between_is_reused(alice: Person) -> None:
    """The window of whoever used it is over by the time that we decide again."""
    now = clock.now()
    session = alice.begin(generation=5, parent=4, rotated_at=now - timedelta(minutes=9))
    moved = {"generation": 7, "parent": 6, "rotated_at": now - timedelta(minutes=1)}
    between = Between(lambda: change_session(alice.app, session.id, **moved))
    with before_statements(db.engine, between), pytest.raises(RefreshReused):
        refresh(session)
    ended = stored_session(alice.app, session.id)
    assert (ended.generation, ended.end_reason) == (7, "refresh_reused")
