"""The refresh rule, row by row: every small family, every generation, every moment.

What a row says is written here a second time, as a table and in the words of the design; the
rule itself is a chain of questions. The two are compared on every case there is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from webapp.services.refresh_rule import Kind, Outcome, decide, is_used_up

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRACE, STRICT = timedelta(seconds=30), timedelta(0)

# How long ago the family rotated, by whether that is inside a window of 30 seconds.
# No age is a family that never rotated.
Age = float | None
INSIDE: tuple[Age, ...] = (0.0, 1.0, 29.999999)
OUTSIDE: tuple[Age, ...] = (None, 30.0, 30.000001, 86400.0)
ALWAYS = INSIDE + OUTSIDE


@dataclass(frozen=True)
class Session:
    """A family as a store would give it."""

    generation: int
    parent: int | None
    rotated_at: datetime | None


class Standing(StrEnum):
    """What a generation is to a family."""

    CURRENT = "current"
    PARENT = "parent"
    NEWER = "newer"
    OTHER = "other"


def standing(session: Session, presented: int) -> Standing:
    if presented in (session.generation, session.parent):
        return Standing.CURRENT if presented == session.generation else Standing.PARENT
    return Standing.NEWER if presented > session.generation else Standing.OTHER


def sessions(ages: tuple[Age, ...]) -> Iterator[Session]:
    """Every family up to the fourth generation, with every parent that is older."""
    for age in ages:
        rotated_at = None if age is None else NOW - timedelta(seconds=age)
        for generation in range(5):
            for parent in (None, *range(generation)):
                yield Session(generation, parent, rotated_at)


def cases(of: Standing, ages: tuple[Age, ...]) -> list[tuple[Session, int]]:
    """Every presentation of a generation of that standing, at those ages."""
    return [
        (session, presented)
        for session in sessions(ages)
        for presented in range(7)
        if standing(session, presented) is of
    ]


def all_cases() -> Iterator[tuple[Session, int, timedelta]]:
    for session in sessions(ALWAYS):
        for presented in range(7):
            yield session, presented, GRACE
            yield session, presented, STRICT


def repeated(session: Session, presented: int) -> Outcome:
    return Outcome(Kind.REPEATED, session.generation, session.parent)


def rotated(session: Session, presented: int) -> Outcome:
    return Outcome(Kind.ROTATED, session.generation + 1, session.generation)


def recovered(session: Session, presented: int) -> Outcome:
    return Outcome(Kind.RECOVERED, session.generation + 1, session.parent)


def fast_forwarded(session: Session, presented: int) -> Outcome:
    return Outcome(Kind.FAST_FORWARDED, presented + 1, presented)


def reused(session: Session, presented: int) -> Outcome:
    return Outcome(Kind.REUSED, session.generation, session.parent)


Expected = Callable[[Session, int], Outcome]
Row = tuple[Standing, tuple[Age, ...], Expected]

TABLE: list[Row] = [
    (Standing.CURRENT, INSIDE, repeated),
    (Standing.CURRENT, OUTSIDE, rotated),
    (Standing.PARENT, INSIDE, repeated),
    (Standing.PARENT, OUTSIDE, recovered),
    (Standing.NEWER, ALWAYS, fast_forwarded),
    (Standing.OTHER, ALWAYS, reused),
]
STRICT_TABLE: list[Row] = [
    (Standing.CURRENT, ALWAYS, rotated),
    (Standing.PARENT, ALWAYS, reused),
    (Standing.NEWER, ALWAYS, fast_forwarded),
    (Standing.OTHER, ALWAYS, reused),
]
ROWS = [(GRACE, *row) for row in TABLE] + [(STRICT, *row) for row in STRICT_TABLE]


@pytest.mark.parametrize(
    ("grace", "of", "ages", "expected"),
    ROWS,
    ids=[f"{grace.seconds}s-{of}-{expected.__name__}" for grace, of, _, expected in ROWS],
)
def test_each_row_of_the_table(
    grace: timedelta, of: Standing, ages: tuple[Age, ...], expected: Expected
) -> None:
    tried = cases(of, ages)
    assert tried
    for session, presented in tried:
        answer = decide(session, presented, NOW, grace)
        assert answer == expected(session, presented), (session, presented)


def test_the_rows_leave_no_case_out() -> None:
    """The tables together try every case once: two graces, seven ages, and so on."""
    tried = sum(len(cases(of, ages)) for _, of, ages, _ in ROWS)
    assert tried == len(list(all_cases())) == 2 * 7 * 15 * 7


def test_a_written_outcome_moves_the_family_on() -> None:
    """A generation is never made twice, and its parent is always older than it."""
    for session, presented, grace in all_cases():
        answer = decide(session, presented, NOW, grace)
        if answer.is_written:
            assert answer.generation > max(session.generation, presented)
            assert answer.parent is not None
            assert answer.parent < answer.generation


def test_an_outcome_that_is_not_written_changes_nothing() -> None:
    """Least of all a refusal: what is revoked must still tell how it stood."""
    for session, presented, grace in all_cases():
        answer = decide(session, presented, NOW, grace)
        if not answer.is_written:
            assert (answer.generation, answer.parent) == (session.generation, session.parent)


@pytest.mark.parametrize(
    ("kind", "is_written", "is_refused"),
    [
        (Kind.ROTATED, True, False),
        (Kind.REPEATED, False, False),
        (Kind.RECOVERED, True, False),
        (Kind.FAST_FORWARDED, True, False),
        (Kind.REUSED, False, True),
    ],
)
def test_what_a_store_has_to_do(kind: Kind, is_written: bool, is_refused: bool) -> None:
    outcome = Outcome(kind, 2, 1)
    assert (outcome.is_written, outcome.is_refused) == (is_written, is_refused)


def test_only_the_standing_counts() -> None:
    """Which numbers they are makes no difference; the interleaving search renumbers by this."""
    for session, presented, grace in all_cases():
        if presented > session.generation:
            continue  # a search never loses writes, so it never sees one
        of = standing(session, presented)
        parent = None if session.parent is None else 1
        alike = Session(2, parent, session.rotated_at)
        number = {Standing.CURRENT: 2, Standing.PARENT: 1, Standing.OTHER: 0}[of]

        answer = decide(session, presented, NOW, grace)
        other = decide(alike, number, NOW, grace)
        assert answer.kind is other.kind
        assert answer.generation - session.generation == other.generation - 2
        if answer.parent is not None:
            assert number_of(session, answer.parent) == other.parent


def number_of(session: Session, generation: int) -> int:
    return {session.generation: 2, session.parent: 1}[generation]


def test_what_is_dead_stays_dead() -> None:
    """Whatever is presented, a family remembers nothing that it had forgotten."""
    for session, presented, grace in all_cases():
        answer = decide(session, presented, NOW, grace)
        if presented <= session.generation:
            assert answer.parent in (session.generation, session.parent)
            assert answer.generation >= session.generation


def test_a_family_has_one_line_of_successors() -> None:
    """Only the current generation and its parent are accepted, and once the window is over,
    going on from one of the two kills the other: two people cannot both go on."""
    for session in sessions(ALWAYS):
        accepted = accepted_after_the_window(session)
        assert accepted == {session.generation, session.parent} - {None}
        for presented in accepted:
            answer = decide(session, presented, NOW + GRACE, GRACE)
            moved_on = Session(answer.generation, answer.parent, NOW)
            assert accepted_after_the_window(moved_on) == {presented, answer.generation}


def accepted_after_the_window(session: Session) -> set[int]:
    later = NOW + GRACE
    return {
        presented
        for presented in range(session.generation + 1)
        if not decide(session, presented, later, GRACE).is_refused
    }


def test_a_clock_that_steps_back_keeps_the_window_open() -> None:
    """A node whose clock is behind neither signs anybody out nor rotates twice in a window."""
    for behind in (0.000001, 1.0, 86400.0):
        for of in (Standing.CURRENT, Standing.PARENT):
            for session, presented in cases(of, (-behind,)):
                answer = decide(session, presented, NOW, GRACE)
                assert answer == repeated(session, presented), (session, presented)


def test_a_clock_that_steps_back_hides_no_reuse() -> None:
    for grace in (GRACE, STRICT):
        for session, presented in cases(Standing.OTHER, (-1.0, -86400.0)):
            assert decide(session, presented, NOW, grace).is_refused


@pytest.mark.parametrize("behind", [0.000001, 86400.0])
def test_strict_rotation_ignores_the_clock(behind: float) -> None:
    """With no grace every presentation of the current generation rotates, also while a clock is
    behind: repeating it would accept one token twice."""
    for session, presented in cases(Standing.CURRENT, (-behind,)):
        answer = decide(session, presented, NOW, STRICT)
        assert answer == rotated(session, presented), (session, presented)


@pytest.mark.parametrize("later", [0.0, 0.000001, 30.0, 86400.0])
def test_strict_rotation_takes_any_second_presentation_for_reuse(later: float) -> None:
    for session in sessions(ALWAYS):
        first = decide(session, session.generation, NOW, STRICT)
        moved_on = Session(first.generation, first.parent, NOW)
        again = decide(moved_on, session.generation, NOW + timedelta(seconds=later), STRICT)
        assert again.is_refused, session


def test_a_store_that_lost_writes_goes_on_from_the_newest_token() -> None:
    """After a failover the first tab fast-forwards, and the second one, with the same token, is
    given the same successor."""
    restored = Session(3, 2, NOW - timedelta(hours=1))
    first = decide(restored, 5, NOW, GRACE)
    assert first == Outcome(Kind.FAST_FORWARDED, 6, 5)

    moved_on = Session(first.generation, first.parent, NOW)
    assert decide(moved_on, 5, NOW, GRACE) == Outcome(Kind.REPEATED, 6, 5)
    assert decide(moved_on, 4, NOW, GRACE).kind is Kind.REUSED


def test_what_moves_nothing_on_is_refused_where_the_rule_refuses() -> None:
    """On every case there is, whatever the time."""
    for session, presented, grace in all_cases():
        refused = decide(session, presented, NOW, grace).is_refused
        assert is_used_up(session, presented, grace) == refused, (session, presented, grace)
