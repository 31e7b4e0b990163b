"""Sessions in a Redis Cluster: each in one slot, and what happens when a master is killed."""

import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from apiflask import APIFlask

from tests.account_kit import AccountJson, another, reset_link, signed_in
from tests.cluster_kit import Cluster, redis_cluster
from tests.conftest import MakeApp
from tests.processes.kit import API, Tokens, bearer, newcomer, sign_in, wait_until
from tests.redis_kit import stored_session
from tests.store_kit import Person
from tests.support import parts_of
from webapp.errors import TemporarilyUnavailable
from webapp.stores.redis_hashes import key_of
from webapp.stores.sessions import Session

pytestmark = [pytest.mark.xdist_group("redis cluster"), pytest.mark.faults]

ALICE = "alice@example.com"
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three masters without replicas, which keep what they said they did."""
    with redis_cluster(tmp_path_factory.mktemp("cluster"), 0, *DURABLE) as made:
        yield made


@pytest.fixture
def app(make_app: MakeApp, cluster: Cluster) -> APIFlask:
    """An application with its sessions in the cluster, and its limits, too."""
    return make_app(session_store="redis", redis_url=cluster.url, rate_limits=True)


def refresh(app: APIFlask, tokens: Tokens) -> tuple[int, str | None]:
    reply = app.test_client().post(f"{API}/refresh", headers=bearer(tokens.refresh))
    return reply.status_code, reply.get_json().get("code")


def test_a_cluster_does_what_a_server_does(app: APIFlask, cluster: Cluster) -> None:
    door = signed_in(AccountJson(app))
    others = [another(door) for _ in range(12)]
    for other in others:
        assert other.sign_in(ALICE).is_fine
        assert other.refresh().is_fine
    listed = door.client.get(f"{API}/sessions").get_json()["data"]
    assert len(listed) == 14
    assert len({cluster.master_of(key_of(one["id"])).port for one in listed}) == 3
    assert door.reset(reset_link(door)).is_fine
    assert [other.refresh().code for other in others] == ["token_revoked"] * 12
    assert [other.who_am_i() for other in others] == [None] * 12
    assert "0 sessions deleted" in app.test_cli_runner().invoke(args=("sessions", "prune")).stdout
    limits = [one.client.scan_iter("LIMITS*") for one in cluster.masters]
    assert any(list(found) for found in limits), "the limits are counted in the cluster, too"


def test_of_sixteen_at_once_all_get_one_successor(app: APIFlask) -> None:
    for _ in range(5):
        tokens = newcomer(app)
        with ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(lambda _, one=tokens: refresh(app, one), range(16)))
        assert replies == [(200, None)] * 16
        assert stored_session(app, tokens.session_id).generation == 2


def on_each_master(app: APIFlask, cluster: Cluster) -> list[Tokens]:
    """Return a sign-in whose session each master keeps, in their order."""
    found: dict[int, Tokens] = {}
    person = newcomer(app, "carol@example.com")
    while len(found) < len(cluster.masters):
        found[cluster.master_of(key_of(person.session_id)).port] = person
        person = sign_in(app, "carol@example.com")
    return [found[one.port] for one in cluster.masters]


def test_a_killed_master_is_503_for_its_own_and_signs_nobody_out(
    make_app: MakeApp, tmp_path: Path
) -> None:
    with redis_cluster(tmp_path, 0, *DURABLE) as cluster:
        app = make_app(session_store="redis", redis_url=cluster.url)
        tokens = on_each_master(app, cluster)
        cluster.masters[0].stop()
        assert refresh(app, tokens[0]) == (503, "temporarily_unavailable")
        assert refresh(app, tokens[1]) == refresh(app, tokens[2]) == (200, None)

        cluster.masters[0].start()
        cluster.wait_until_well()
        wait_until(lambda: refresh(app, tokens[0])[0] != 503)
        assert [refresh(app, one) for one in tokens] == [(200, None)] * 3


def test_a_replica_takes_over_by_itself(make_app: MakeApp, tmp_path: Path) -> None:
    with redis_cluster(tmp_path, 1) as cluster:
        app = make_app(session_store="redis", redis_url=cluster.url)
        tokens = on_each_master(app, cluster)
        assert [refresh(app, one) for one in tokens] == [(200, None)] * 3
        cluster.masters[0].client.wait(1, 1000)
        cluster.masters[0].stop()
        wait_until(lambda: refresh(app, tokens[0])[0] != 503, 30)
        assert [refresh(app, one) for one in tokens] == [(200, None)] * 3
        assert app.test_client().get("/readyz").status_code == 200


@pytest.mark.parametrize("is_behind", [False, True], ids=["in step", "behind"])
def test_what_is_lost_when_a_master_dies_with_writes_under_way(
    make_app: MakeApp, tmp_path: Path, is_behind: bool
) -> None:
    """Sign-ins and sign-outs go on until the master is gone. A replica that was in step knows of
    all that it had acknowledged; one that was cut off lacks what came since, which brings back
    what had ended. What was ended with everything else of a person stays so all the same."""
    with redis_cluster(tmp_path, 1) as cluster:
        app = make_app(session_store="redis", redis_url=cluster.url)
        person = Person(app)
        begun: list[Session] = []
        ended: list[Session] = []

        def work() -> None:
            mine: deque[Session] = deque()
            while True:
                mine.append(person.begin())
                begun.append(mine[-1])
                if len(mine) > 30:
                    oldest = mine.popleft()
                    person.within(partial(person.store.end, oldest.id, "signed_out"))
                    ended.append(oldest)

        with ThreadPoolExecutor(4) as pool:
            working = [pool.submit(work) for _ in range(4)]
            wait_until(lambda: len(begun) > 500, 60)
            if is_behind:
                cluster.replicas[0].process.send_signal(signal.SIGSTOP)
                cluster.masters[0].client.client_kill_filter(_type="replica")
                goal = len(begun) + 150
                wait_until(lambda: len(begun) > goal)
            cluster.masters[0].stop()
            cluster.replicas[0].process.send_signal(signal.SIGCONT)
            for one in working:
                assert isinstance(one.exception(30), TemporarilyUnavailable)
        store = parts_of(app).sessions
        wait_until(lambda: app.test_client().get("/readyz").status_code == 200, 30)
        wait_until(lambda: _answers(person), 30)
        here = [one for one in begun if cluster.master_of(key_of(one.id)) is cluster.masters[0]]
        lost = [one for one in here if person.find(one) is None]
        revived = [one for one in ended if person.is_alive(one)]
        print(f"\n{len(begun)} begun, {len(ended)} ended; lost: {len(lost)}, alive: {len(revived)}")
        if is_behind:
            assert lost
            assert revived
        else:  # What each thread had just been told of, if the master died in that very moment.
            assert len(lost) + len(revived) <= 4
        assert set(lost) < set(here)

        person.within(lambda: store.end_all_of(person.id, "password_reset"))
        assert not any(person.is_alive(one) for one in begun)


def _answers(person: Person) -> bool:
    try:
        person.within(lambda: person.store.all_of(person.id))
    except TemporarilyUnavailable:
        return False
    return True
