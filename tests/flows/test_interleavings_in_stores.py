"""Every order in which three requests can race, played through a real session store.

The model says what a store has to do; here a store does it, step by step: what is read in one
step is swapped in a later one, whatever happened in between.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from apiflask import APIFlask

from tests.flows.refresh_model import (
    CURRENT,
    GRACE,
    PARENT,
    Deed,
    Event,
    Request,
    Scenario,
    Server,
    Window,
    World,
)
from tests.flows.test_refresh_interleavings import histories
from tests.redis_kit import stored_session
from tests.store_kit import Person
from webapp import clock
from webapp.services.refresh_rule import Outcome, decide
from webapp.stores.sessions import Found, Session


class Play:
    """One history, played with one session."""

    def __init__(self, person: Person, presented: tuple[int, ...]) -> None:
        ago = clock.now() - timedelta(minutes=5)
        self.person, self.presented = person, presented
        self.session = person.begin(generation=CURRENT, parent=PARENT, rotated_at=ago)
        self.read: dict[int, tuple[Found, Outcome]] = {}

    def step(self, event: Event) -> None:
        """Do what happens, and see that the store does as the model says."""
        store, sid = self.person.store, self.session.id
        if event.deed is Deed.SIGN_OUT:
            self.person.within(lambda: store.end(sid, "signed_out"))
            return
        assert event.slot is not None
        if event.deed is Deed.READ:
            found = self.person.find(self.session)
            assert found
            if not found.session.ended_at:
                outcome = decide(found.session, self.presented[event.slot], found.now, GRACE)
                self.read[event.slot] = found, outcome
            return
        found, outcome = self.read.pop(event.slot)
        assert outcome.kind is event.kind
        if outcome.is_refused:
            self.person.within(lambda: store.end(sid, "refresh_reused"))
        elif outcome.is_written:
            after = moved(found, outcome)
            won = self.person.advance(found.session, after)
            assert won == (event.won_from is not None)

    def ends_as(self, server: Server) -> None:
        stored = stored_session(self.person.app, self.session.id)
        assert (stored.generation, stored.parent) == (server.generation, server.parent)
        assert bool(stored.ended_at) == server.is_revoked


def moved(found: Found, outcome: Outcome) -> Session:
    generation, parent = outcome.generation, outcome.parent
    return replace(found.session, generation=generation, parent=parent, rotated_at=found.now)


@pytest.mark.parametrize(
    ("session_store", "presented", "others", "expected"),
    [
        ("sql", (CURRENT, PARENT), {Deed.SIGN_OUT}, 42),
        ("redis", (CURRENT, CURRENT, CURRENT), set(), 498),
        ("redis", (CURRENT, PARENT), {Deed.SIGN_OUT}, 42),
    ],
    indirect=["session_store"],
)
def test_a_store_does_as_the_model_says(
    app: APIFlask, presented: tuple[int, ...], others: set[Deed], expected: int
) -> None:
    scenario = Scenario(frozenset({Deed.READ, Deed.ANSWER} | others))
    start = World(tuple(map(Request, presented)), Server(CURRENT, PARENT, Window.CLOSED))
    person, told = Person(app), 0
    for history, end in histories(scenario, start):
        told += 1
        play = Play(person, presented)
        for event in history:
            play.step(event)
        play.ends_as(end.server)
    print(f"\n{told} histories")
    assert told == expected
