"""What every session store has to do alike, be it in SQL or in Redis."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from tests.redis_kit import on_each_session_store, stored_session
from tests.store_kit import Person, new_session
from webapp import clock
from webapp.extensions import db
from webapp.stores.sessions import Session
from webapp.stores.transactions import LostRace

pytestmark = on_each_session_store


@pytest.fixture
def alice(app: APIFlask) -> Person:
    """Somebody with an account."""
    return Person(app)


@pytest.fixture
def bob(app: APIFlask) -> Person:
    """Somebody else."""
    return Person(app, "bob@example.com")


def rotated(before: Session) -> Session:
    now = clock.now()
    return replace(
        before,
        generation=before.generation + 1,
        parent=before.generation,
        rotated_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=20),
        ip="192.0.2.9",
        user_agent="another",
    )


@pytest.mark.parametrize("is_persistent", [True, False])
def test_what_goes_in_comes_out(alice: Person, is_persistent: bool) -> None:
    session = alice.begin(is_persistent=is_persistent, user_agent="")
    found = alice.find(session)
    assert found
    assert found.session == session
    assert found.account.id == alice.id
    assert abs(found.now - clock.now()) < timedelta(seconds=5)


def test_what_was_never_there_is_not_found(alice: Person) -> None:
    store = alice.store
    for session_id in ("x", "x" * 500, "}{", "' OR 1=1 --", ""):
        assert alice.within(partial(store.find, session_id)) is None
        assert not alice.within(partial(store.end, session_id, "signed_out"))
        assert not alice.within(partial(store.set_authenticated, session_id, clock.now()))


def test_without_an_account_there_is_no_session(alice: Person) -> None:
    session = alice.begin()
    with alice.app.app_context():
        db.session.execute(text("DELETE FROM users"))
        db.session.commit()
    assert alice.find(session) is None


def test_a_session_moves_on_from_what_was_read_and_nothing_else(alice: Person) -> None:
    first = alice.begin()
    second = rotated(first)
    assert alice.advance(first, second)
    assert stored_session(alice.app, first.id) == second
    for outdated in (first, replace(second, parent=None), replace(second, generation=3)):
        ahead = replace(rotated(second), generation=9)
        assert not alice.advance(outdated, ahead)
    assert stored_session(alice.app, first.id) == second
    assert alice.advance(second, rotated(second))


def test_of_sixteen_at_once_one_moves_it_on(alice: Person) -> None:
    first = alice.begin()
    ways = [replace(rotated(first), user_agent=str(number)) for number in range(16)]

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(partial(alice.advance, first), ways))
    assert won.count(True) == 1
    assert stored_session(alice.app, first.id) == ways[won.index(True)]


def test_what_has_ended_stays_so(alice: Person) -> None:
    session = alice.begin()
    assert alice.within(lambda: alice.store.end(session.id, "signed_out"))
    ended = stored_session(alice.app, session.id)
    assert ended.ended_at
    assert (ended.ended_at, ended.end_reason) == (ended.changed_at, "signed_out")
    assert not alice.within(lambda: alice.store.end(session.id, "again"))
    assert not alice.advance(session, rotated(session))
    assert not alice.within(lambda: alice.store.set_authenticated(session.id, clock.now()))
    assert stored_session(alice.app, session.id) == ended
    assert alice.told() == {session.id}


def test_a_session_is_ended_for_its_owner_alone(alice: Person, bob: Person) -> None:
    session = alice.begin()
    assert not alice.within(lambda: alice.store.end_of(session.id, bob.id, "ended_by_owner"))
    assert alice.is_alive(session)
    assert alice.within(lambda: alice.store.end_of(session.id, alice.id, "ended_by_owner"))
    assert not alice.is_alive(session)


@pytest.mark.parametrize("is_one_kept", [True, False])
def test_all_of_a_person_are_ended(alice: Person, bob: Person, is_one_kept: bool) -> None:
    kept, *others = (alice.begin() for _ in range(4))
    bobs = bob.begin()
    but = kept.id if is_one_kept else None
    count = alice.within(lambda: alice.store.end_all_of(alice.id, "password_reset", but))
    assert count == (3 if is_one_kept else 4)
    assert [alice.is_alive(one) for one in others] == [False] * 3
    assert alice.is_alive(kept) == is_one_kept
    assert bob.is_alive(bobs)
    assert alice.told() == {one.id for one in (others if is_one_kept else [kept, *others])}
    assert alice.is_alive(alice.begin()), "what begins afterwards is of the new epoch"


def test_what_is_kept_twice_goes_on_and_can_be_ended(alice: Person) -> None:
    kept = alice.begin()
    for _ in range(2):
        alice.within(lambda: alice.store.end_all_of(alice.id, "password_changed", kept.id))
    assert alice.is_alive(kept)
    alice.within(lambda: alice.store.end_all_of(alice.id, "account_disabled"))
    assert not alice.is_alive(kept)


def test_somebody_elses_session_is_not_kept(alice: Person, bob: Person) -> None:
    bobs = bob.begin()
    alice.within(lambda: alice.store.end_all_of(alice.id, "password_changed", bobs.id))
    assert stored_session(bob.app, bobs.id) == bobs


def test_living_sessions_are_listed_the_last_used_first(alice: Person, bob: Person) -> None:
    now = clock.now()
    ages = (3, 1, 2)
    sessions = [alice.begin(last_used_at=now - timedelta(hours=age)) for age in ages]
    alice.begin(expires_at=now)
    over = alice.begin()
    alice.within(lambda: alice.store.end(over.id, "signed_out"))
    bob.begin()
    listed = alice.within(lambda: alice.store.list_of(alice.id, now))
    assert listed == [sessions[1], sessions[2], sessions[0]]
    kept = alice.within(lambda: alice.store.all_of(alice.id))
    assert len(kept) == 5
    assert [one.created_at for one in kept] == sorted(one.created_at for one in kept)


def test_an_authentication_is_noted(alice: Person) -> None:
    session, later = alice.begin(), clock.now() + timedelta(minutes=5)
    assert alice.within(lambda: alice.store.set_authenticated(session.id, later))
    assert stored_session(alice.app, session.id) == replace(session, authenticated_at=later)


def test_a_person_is_erased(alice: Person, bob: Person) -> None:
    session, bobs = alice.begin(), bob.begin()
    alice.within(lambda: alice.store.erase_of(alice.id))
    assert alice.find(session) is None
    assert alice.within(lambda: alice.store.all_of(alice.id)) == []
    assert bob.is_alive(bobs)


def test_changes_are_told_from_the_moment_on(alice: Person) -> None:
    session = alice.begin()
    alice.within(lambda: alice.store.end(session.id, "signed_out"))
    # PostgreSQL's clock goes on between two columns of one statement.
    changed_at = stored_session(alice.app, session.id).changed_at
    assert changed_at
    assert alice.told(changed_at) == {session.id}
    assert alice.told(changed_at + timedelta(microseconds=1)) == set()


def test_a_session_of_a_transaction_that_fails_is_not_there(alice: Person) -> None:
    session = new_session(alice.id)

    def fail() -> None:
        alice.store.add(session)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        alice.within(fail)
    assert alice.find(session) is None
    assert alice.within(lambda: alice.store.all_of(alice.id)) == []


def test_what_runs_again_ends_it_once_and_says_so_each_time(alice: Person) -> None:
    """A transaction that loses a race after it has ended something runs again; its audit and its
    mail hang on being told that it was the one that ended it."""
    one, two, three = (alice.begin() for _ in range(3))
    seen: list[tuple[bool, bool, bool, int]] = []

    def work() -> None:
        found = alice.store.find(one.id)
        was_alive = found is not None and found.session.ended_at is None
        ends = (alice.store.end(one.id, "x"), alice.store.end_of(two.id, alice.id, "x"))
        seen.append((was_alive, *ends, alice.store.end_all_of(alice.id, "x", but=two.id)))
        if len(seen) < 3:
            raise LostRace

    alice.within(work)
    first, *again = seen
    assert first[:3] == (True, True, True)
    assert {each[:3] for each in again} == {first[:3]}
    assert not any(map(alice.is_alive, (one, two, three)))
    assert not alice.within(lambda: alice.store.end(one.id, "x"))


def test_a_rotation_that_runs_again_is_won_once(alice: Person) -> None:
    session = alice.begin()
    after = rotated(session)
    tries = []

    def work() -> bool:
        tries.append(alice.store.advance(session, after))
        if len(tries) < 2:
            raise LostRace
        return tries[-1]

    assert alice.within(work)
    assert tries == [True, True]
    assert not alice.advance(session, after)


def test_ending_all_while_others_begin_leaves_no_older_one(alice: Person) -> None:
    """Each of them holds the account, so a session began before all were ended, or after."""

    def begin(number: int) -> Session | None:
        if number % 4:
            return alice.begin()
        alice.within(lambda: alice.store.end_all_of(alice.id, "x"))
        return None

    with ThreadPoolExecutor(8) as pool:
        began = [session for session in pool.map(begin, range(64)) if session]
    alive = [session for session in began if alice.is_alive(session)]
    with alice.app.app_context():
        epoch = db.session.scalar(text("SELECT session_epoch FROM users"))
    assert epoch == 16
    assert {stored_session(alice.app, session.id).epoch for session in alive} <= {epoch}
