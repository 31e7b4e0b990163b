"""What the refresh rule guarantees, whatever the order of events, and what it does not.

Every scenario is searched to its end, so a test that passes has seen all the orders there are.
Beside each guarantee stand its controls: the same search with the rule, the store or an
assumption weakened finds a story in which the guarantee fails. The number of states is part of
the test, so that a model which lost events is noticed; run pytest with -s to see them all.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from tests.flows.refresh_model import (
    CURRENT,
    PARENT,
    Actor,
    Deed,
    Event,
    Question,
    Reading,
    Reply,
    Request,
    Scenario,
    Search,
    Server,
    Window,
    World,
    explore,
    steps,
)
from webapp.services.refresh_rule import Family, Kind, Outcome, decide

LOSSES = frozenset({Deed.LOSE_REQUEST, Deed.LOSE_REPLY})
BROWSING = LOSSES | {Deed.SEND, Deed.DELIVER, Deed.CLOSE}
AT_ONCE = BROWSING | {Deed.PROCESS}
RACING = BROWSING | {Deed.READ, Deed.ANSWER}
THEFT = AT_ONCE | {Deed.COPY}


# Assumptions: which steps a scenario allows.


def in_time(before: World, event: Event, after: World) -> bool:
    """Every request has been answered or lost, and every reply too, before the window ends."""
    return event.deed is not Deed.CLOSE or not any(before.flights)


def apart(before: World, event: Event, after: World) -> bool:
    """Nobody's presentation is processed in a window that the other one's opened."""
    return event.deed is not Deed.PROCESS or before.opener in (None, event.actor)


def shadowing(before: World, event: Event, after: World) -> bool:
    """The thief presents the newest token they have, in every window, and never outside one."""
    if event.deed is Deed.CLOSE:
        return not before.loot or CURRENT in before.loot
    if event.actor is not Actor.THIEF:
        return True
    if event.deed is Deed.SEND:
        return after.flights[-1] == Request(max(before.loot))
    return event.deed is not Deed.PROCESS or before.server.window is Window.OPEN


# What may go wrong.


def is_revoked(before: World, event: Event, after: World) -> bool:
    return after.server.is_revoked


def is_alive_after_revocation(before: World, event: Event, after: World) -> bool:
    """Whether something still moves, or comes back, in a family that was revoked."""
    is_quiet = after.server.is_revoked and event.won_from is None
    return before.server.is_revoked and not is_quiet


def is_swapped_twice(before: World, event: Event, after: World) -> bool:
    """Whether a swap started from an old generation, or made one that is not new."""
    return event.won_from is not None and (
        event.won_from != before.server.generation
        or after.server.generation <= before.server.generation
    )


def breaks_the_family(before: World, event: Event, after: World) -> bool:
    """Either; what the rule makes of each single state is held by the tests of the rule."""
    return is_alive_after_revocation(before, event, after) or is_swapped_twice(before, event, after)


def search(name: str, scenario: Scenario, is_wrong: Question) -> Search:
    found = explore(scenario, is_wrong)
    print(f"\n{name}: {found.states} states, {found.transitions} transitions")
    return found


# No honest client is signed out.


HONEST_KINDS = {Kind.ROTATED, Kind.REPEATED, Kind.RECOVERED}


@pytest.mark.parametrize(
    ("deeds", "tabs", "states"),
    [(AT_ONCE, 1, 12), (AT_ONCE, 2, 36), (AT_ONCE, 3, 114), (RACING, 3, 689), (RACING, 4, 4595)],
)
def test_no_honest_client_is_signed_out(deeds: frozenset[Deed], tabs: int, states: int) -> None:
    """One jar, a request in flight for each tab, every reply in any order or lost, window after
    window without end; with READ and ANSWER the requests also race inside the store."""
    found = search(
        f"honest, {tabs} tabs, {len(deeds)} deeds", Scenario(deeds, tabs, (in_time,)), is_revoked
    )
    assert found.story is None
    assert found.states == states
    assert found.kinds == HONEST_KINDS  # so each of them was put to the test, and nothing else


def rotate_always(family: Family, presented: int, now: datetime, grace: timedelta) -> Outcome:
    """The rule without its "once a window" clause."""
    if presented == family.generation:
        return Outcome(Kind.ROTATED, presented + 1, presented)
    return decide(family, presented, now, grace)


def never_recover(family: Family, presented: int, now: datetime, grace: timedelta) -> Outcome:
    """The rule for which only the current generation counts after the window."""
    outcome = decide(family, presented, now, grace)
    refusal = Outcome(Kind.REUSED, family.generation, family.parent)
    return refusal if outcome.kind is Kind.RECOVERED else outcome


def rotate_strictly(family: Family, presented: int, now: datetime, grace: timedelta) -> Outcome:
    """The rule as REFRESH_GRACE=0 sets it."""
    return decide(family, presented, now, timedelta(0))


OVERTAKEN = ["a is processed: rotated", "b is processed: reused"]
CONTROLS = {
    "two rotations in a window overtake a request": (
        Scenario(AT_ONCE - LOSSES, 2, (in_time,), rule=rotate_always),
        ["a sends", "a is processed: rotated", "b sends", "a reply arrives", "a sends", *OVERTAKEN],
    ),
    "a request takes longer than the window": (
        Scenario(AT_ONCE, 2),
        ["a reply arrives", "a sends", "window ends", *OVERTAKEN],
    ),
    "nothing is recovered and a reply is lost": (
        Scenario(AT_ONCE, 1, (in_time,), rule=never_recover),
        ["a reply is lost", "window ends", "a sends", "a is processed: reused"],
    ),
    "strict rotation and a reply is lost": (
        Scenario(AT_ONCE, 1, (in_time,), rule=rotate_strictly),
        ["a reply is lost", "a sends", "a is processed: reused"],
    ),
    "strict rotation and two tabs": (
        Scenario(AT_ONCE - LOSSES, 2, (in_time,), rule=rotate_strictly),
        ["a is processed: rotated", "b sends", "b is processed: reused"],
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_an_honest_client_would_be_signed_out_when(control: str) -> None:
    scenario, last_words = CONTROLS[control]
    story = search(f"control, {control}", scenario, is_revoked).story
    assert story is not None
    assert story[-len(last_words) :] == last_words


# A family is one line of tokens, and it ends when it is revoked.


# Any time may pass here, so a request that is lost is as good as one that was never sent.
EVERYTHING = RACING - {Deed.LOSE_REQUEST} | {Deed.SIGN_OUT}


@pytest.mark.parametrize(
    ("deeds", "tabs", "states"),
    [(EVERYTHING, 3, 104982), (EVERYTHING | {Deed.COPY}, 2, 242356)],
    ids=["three tabs", "two tabs and a thief"],
)
def test_a_family_is_one_line_until_it_is_revoked(
    deeds: frozenset[Deed], tabs: int, states: int
) -> None:
    """Whenever the window ends, whoever races whom in the store, whenever somebody signs out."""
    found = search(f"{tabs} tabs, {len(deeds)} deeds", Scenario(deeds, tabs), breaks_the_family)
    assert found.story is None
    assert found.states == states
    assert found.kinds == HONEST_KINDS | {Kind.REUSED}


@pytest.mark.parametrize(
    ("may_swap", "is_wrong"),
    [
        (lambda server, reading: not server.is_revoked, is_swapped_twice),
        (lambda server, reading: server.generation == reading.seen, is_alive_after_revocation),
    ],
    ids=["without the generation", "without the revocation"],
)
def test_a_store_has_to_compare_both(
    may_swap: Callable[[Server, Reading], bool], is_wrong: Question
) -> None:
    assert search("control, swap", Scenario(EVERYTHING, may_swap=may_swap), is_wrong).story


def histories(scenario: Scenario, world: World) -> Iterator[tuple[list[Event], World]]:
    """Every order of events from this state until nothing more can happen."""
    is_over = True
    for event, after in steps(scenario, world):
        is_over = False
        for later, end in histories(scenario, after):
            yield [event, *later], end
    if is_over:
        yield [], world


@pytest.mark.parametrize(
    ("presented", "others", "expected"),
    [
        ((CURRENT, CURRENT, CURRENT), set(), 498),
        ((CURRENT, CURRENT, CURRENT), {Deed.SIGN_OUT}, 3102),
        ((CURRENT, CURRENT, CURRENT), {Deed.CLOSE}, 6612),
        ((CURRENT, PARENT, CURRENT), {Deed.CLOSE, Deed.SIGN_OUT}, 15718),
    ],
)
def test_three_requests_race_in_the_store(
    presented: tuple[int, ...], others: set[Deed], expected: int
) -> None:
    """In every single history a generation is replaced once at most, and never after a sign-out;
    with no time passing and nobody signing out, all three get the same successor."""
    scenario = Scenario(frozenset({Deed.READ, Deed.ANSWER} | others))
    start = World(tuple(map(Request, presented)), Server(CURRENT, PARENT, Window.CLOSED))
    told = 0
    for history, end in histories(scenario, start):
        told += 1
        won_from = [event.won_from for event in history if event.won_from is not None]
        assert len(won_from) == len(set(won_from)), history
        if Deed.SIGN_OUT in others:
            assert end.server.is_revoked
            ends = [e.deed is Deed.SIGN_OUT or e.kind is Kind.REUSED for e in history].index(True)
            assert all(event.won_from is None for event in history[ends:]), history
        if not others:
            assert end.flights == (Reply(CURRENT + 1),) * 3
    print(f"\n{told} histories")
    assert told == expected


# A thief.


MANY = 6  # changes of hands; where this many are possible, so are 20


@pytest.mark.parametrize(("tabs", "states"), [(1, 319), (2, 793), (3, 2089)])
def test_a_stolen_token_changes_hands_three_times_at_most(tabs: int, states: int) -> None:
    """It changes hands when a reply reaches one of the two, and the last one reached the other
    (or, the first time, the owner signed in). A reply that is lost does not count: it leaves
    the owner with nothing new, and can be lost again any number of times. They act apart, in
    any order, for as long as they like; the thief keeps every token they ever had. As no state
    has a fourth change of hands, the family is revoked once both have gone on often enough, and
    nothing is alive after it."""
    scenario = Scenario(THEFT, tabs, (in_time, apart), counts_to=MANY)
    found = search(f"theft, {tabs} tabs", scenario, is_alive_after_revocation)
    assert found.story is None
    assert found.most_hands == 3
    assert found.states == states
    assert Kind.REUSED in found.kinds


@pytest.mark.parametrize("kept", [in_time, apart])
def test_both_assumptions_are_needed_to_notice_a_thief(kept: Question) -> None:
    """Requests that wait for the next window, or two people in one, go on far beyond three."""
    scenario = Scenario(THEFT, 2, (kept,), counts_to=MANY)
    found = search(f"control, only {kept.__name__}", scenario, is_alive_after_revocation)
    assert found.story is None
    assert found.most_hands == MANY


@pytest.mark.parametrize(("tabs", "states"), [(1, 372), (2, 1620), (3, 6324)])
def test_a_thief_in_every_window_of_the_owner_is_never_noticed(tabs: int, states: int) -> None:
    """The risk that stays open: no reply being lost, they share each successor for ever."""
    scenario = Scenario(THEFT - LOSSES, tabs, (in_time, shadowing), counts_to=MANY)
    found = search(f"shadow, {tabs} tabs", scenario, is_revoked)
    assert found.story is None
    assert found.most_hands == MANY
    assert found.states == states
