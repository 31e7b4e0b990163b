"""Sessions in Redis: how many round trips they take, and what Redis may forget."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from apiflask import APIFlask

from tests.account_kit import NEW_PASSWORD, AccountJson, another, reset_link, signed_in
from tests.conftest import MakeApp
from tests.doors.test_statements import statements, within
from tests.processes.kit import API, bearer, end_grace_window, newcomer
from tests.redis_kit import Server, stored_session, stored_sessions
from tests.store_kit import Person
from tests.support import PASSWORD, parts_of
from webapp import clock
from webapp.features.users import flow as users_flow
from webapp.services.client import Client
from webapp.stores.redis_hashes import encode_value, index_of, key_of

ALICE = "alice@example.com"
SHELL = Client(ip="", user_agent="a test")


@pytest.fixture
def app(make_app: MakeApp, redis: Server) -> APIFlask:
    """An application with its sessions in Redis, and all else in SQLite."""
    redis.client.flushall()
    return make_app(session_store="redis", redis_url=redis.url)


@pytest.fixture
def door(app: APIFlask) -> AccountJson:
    """Alice's browser, signed in."""
    return signed_in(AccountJson(app))


# How much a request asks of it.


def calls(redis: Server) -> dict[str, int]:
    """Return how often Redis was asked for what since it was last told to forget that."""
    stats = redis.client.info("commandstats")
    # What connecting takes, and our own looking on.
    beside = {"config|resetstat", "info", "client|setinfo", "hello"}
    # What a script does inside is no round trip.
    inside = {"time", "hgetall", "hmget", "hset", "pexpireat", "hget", "pexpire", "pttl"}
    return {
        name.removeprefix("cmdstat_"): int(stat["calls"])
        for name, stat in stats.items()
        if name.removeprefix("cmdstat_") not in beside | inside
    }


def test_a_refresh_is_two_round_trips_and_one_statement(
    app: APIFlask, door: AccountJson, redis: Server
) -> None:
    door.refresh()
    (session, *_) = (one for one in stored_sessions(app) if one.rotated_at)
    end_grace_window(app, session.id)
    redis.client.config_resetstat()
    with statements(app) as found:
        assert door.refresh().is_fine
    assert calls(redis) == {"evalsha": 2}
    assert len(found) == 1, found


def test_a_refresh_that_repeats_is_one_of_each(
    app: APIFlask, door: AccountJson, redis: Server
) -> None:
    door.refresh()
    redis.client.config_resetstat()
    with statements(app) as found:
        assert door.refresh().is_fine
    assert calls(redis) == {"evalsha": 1}
    assert len(found) == 1, found


def test_a_sign_in_takes_four_statements(app: APIFlask, door: AccountJson, redis: Server) -> None:
    door.sign_out()
    redis.client.config_resetstat()
    with statements(app) as found:
        assert door.sign_in(ALICE).is_fine
    assert len(within(found)) <= 4, found
    assert calls(redis) == {"zadd": 1, "evalsha": 1}


def test_a_guard_asks_nobody(app: APIFlask, door: AccountJson, redis: Server) -> None:
    assert door.who_am_i() == ALICE
    redis.client.config_resetstat()
    for _ in range(20):
        assert door.client.get(f"{API}/me").status_code == 200
    asked = calls(redis)
    assert asked.pop("zrangebyscore", 0) <= 2, "the snapshot is read once a second"
    assert asked == {}


# What Redis is told to forget, and what it must not be believed about.


def test_a_script_that_redis_has_lost_is_sent_along(door: AccountJson, redis: Server) -> None:
    redis.client.script_flush()
    assert door.refresh().is_fine
    redis.client.script_flush()
    assert door.sign_out().is_fine


def test_redis_forgets_a_session_when_its_refresh_token_expires(
    app: APIFlask, redis: Server
) -> None:
    tokens = newcomer(app)
    app.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    session = stored_session(app, tokens.session_id)
    expires_at = redis.client.pexpiretime(key_of(session.id)) / 1000
    assert abs(expires_at - session.expires_at.timestamp()) < 0.01


def test_a_session_that_ended_is_kept_as_long_as_any_of_its_tokens(
    make_app: MakeApp, redis: Server
) -> None:
    """Nothing that somebody still holds can bring it back, and "this was not me" finds it."""
    for lifetime, kept_days in (("30d", 30), ("1h", 8)):
        app = make_app(session_store="redis", redis_url=redis.url, refresh_token_expires=lifetime)
        person = Person(app, f"{lifetime}@example.com")
        session = person.begin(expires_at=clock.now() + app_lifetime(app))
        person.within(partial(person.store.end, session.id, "x"))
        left = timedelta(milliseconds=redis.client.pttl(key_of(session.id)))
        assert abs(left - timedelta(days=kept_days)) < timedelta(minutes=1)


def app_lifetime(app: APIFlask) -> timedelta:
    return parts_of(app).settings.refresh_token_expires


def test_an_index_forgets_what_is_gone_once_it_cannot_be_on_its_way(
    app: APIFlask, redis: Server
) -> None:
    person, client = Person(app), redis.client
    living = person.begin()
    index = index_of(person.id)
    long_ago = encode_value(clock.now() - timedelta(hours=2))
    client.zadd(index, {"gone": long_ago, "on its way": encode_value(clock.now())})
    client.zadd(index, {living.id: long_ago})
    assert app.test_cli_runner().invoke(args=("sessions", "prune")).stdout == (
        "1 sessions deleted.\n"
    )
    assert set(client.zrange(index, 0, -1)) == {living.id, "on its way"}


def test_the_log_of_ends_forgets_what_no_access_token_can_ask_for(
    app: APIFlask, redis: Server
) -> None:
    person, client = Person(app), redis.client
    client.zadd("latchkey:session-changes", {"old": encode_value(clock.now() - timedelta(days=1))})
    session = person.begin()
    person.within(lambda: person.store.end(session.id, "x"))
    assert client.zrange("latchkey:session-changes", 0, -1) == [session.id]
    assert 0 < client.ttl("latchkey:session-changes") <= 31 * 60


def test_what_had_ended_is_told_of_again(app: APIFlask, redis: Server) -> None:
    """Whoever ended it may have died before the log knew, and now somebody else is told "done"."""
    person, client = Person(app), redis.client
    one, two = person.begin(), person.begin()
    assert person.within(lambda: person.store.end(one.id, "x"))
    client.delete("latchkey:session-changes")
    assert not person.within(lambda: person.store.end(one.id, "x"))
    assert person.told() == {one.id}
    client.delete("latchkey:session-changes")
    assert person.within(lambda: person.store.end_all_of(person.id, "x")) == 1
    assert person.told() == {one.id, two.id}


def test_what_an_earlier_release_wrote_is_read(app: APIFlask, redis: Server) -> None:
    """A field that it did not know has its default."""
    tokens = newcomer(app)
    redis.client.hdel(key_of(tokens.session_id), "epoch")
    refreshed = app.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    assert refreshed.status_code == 200


def as_it_was(app: APIFlask, redis: Server, change: Callable[[], object]) -> None:
    """Have Redis lose whatever a change wrote, as one does that fails over to a copy behind it."""
    client = redis.client
    kept = {key: client.dump(key) for key in client.scan_iter()}
    change()
    client.flushall()
    for key, value in kept.items():
        assert value
        client.restore(key, 0, value)


@pytest.mark.parametrize("how", ["reset", "disable", "others", "change"])
def test_what_a_person_ended_stays_so_though_redis_lost_it(
    app: APIFlask, door: AccountJson, redis: Server, how: str
) -> None:
    """Reset, disabling and the like are in the database, too: nobody goes on from before."""
    there = another(door)
    there.sign_in(ALICE)
    token = reset_link(door)

    def change() -> None:
        if how == "reset":
            assert door.reset(token).is_fine
        elif how == "disable":
            with app.app_context():
                users_flow.disable_user(ALICE, SHELL)
                users_flow.enable_user(ALICE, SHELL)
        elif how == "others":
            assert door.end_others().is_fine
        else:
            assert door.change_password().is_fine

    as_it_was(app, redis, change)
    assert there.refresh().code == "token_revoked"
    # A new sign-in is of the new epoch, whatever Redis thinks of the old ones.
    fresh = another(door)
    assert fresh.sign_in(ALICE, PASSWORD if how in ("disable", "others") else NEW_PASSWORD).is_fine
    assert fresh.refresh().is_fine
    assert len(fresh.client.get(f"{API}/sessions").get_json()["data"]) == 1


def test_a_rotation_that_redis_lost_signs_nobody_out(
    app: APIFlask, door: AccountJson, redis: Server
) -> None:
    door.refresh()
    session = next(one for one in stored_sessions(app) if one.rotated_at)

    def rotate() -> None:
        end_grace_window(app, session.id)
        assert door.refresh().is_fine

    as_it_was(app, redis, rotate)
    assert door.refresh().is_fine
    assert stored_session(app, session.id).generation == 4
