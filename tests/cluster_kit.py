"""A Redis Cluster of the tests' own: three masters, and a replica for each that a test asks for."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from tests.redis_kit import Server, redis_server
from tests.support import free_port

SLOTS, MASTERS = 16384, 3


@dataclass
class Cluster:
    """Three masters that share the keys, and their replicas."""

    masters: list[Server]
    replicas: list[Server]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{one.port}" for one in self.masters)

    def master_of(self, key: str) -> Server:
        """Return the master that a key belonged to when the cluster was made."""
        return self.masters[key_slot(key.encode()) * MASTERS // SLOTS]

    def wait_until_well(self) -> None:
        """Wait until every node that runs says that the cluster works."""
        running = [one for one in (*self.masters, *self.replicas) if one.process.poll() is None]
        for server in running:
            _wait(lambda server=server: _is_well(server.client))  # type: ignore[misc]


@contextmanager
def redis_cluster(folder: Path, replicas: int = 0, *options: str) -> Iterator[Cluster]:
    """Start a cluster whose first `replicas` masters have a replica each."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                redis_server(
                    folder / str(number),
                    *("--cluster-enabled", "yes", "--cluster-port", str(free_port())),
                    *("--cluster-node-timeout", "1000", "--repl-ping-replica-period", "1"),
                    *("--cluster-require-full-coverage", "no", *options),
                )
            )
            for number in range(MASTERS + replicas)
        ]
        cluster = Cluster(nodes[:MASTERS], nodes[MASTERS:])
        for number, master in enumerate(cluster.masters):
            first = -(-number * SLOTS // MASTERS)
            last = -(-(number + 1) * SLOTS // MASTERS) - 1
            _tell(master.client, "CLUSTER", "ADDSLOTSRANGE", first, last)
        ids = [str(_tell(node.client, "CLUSTER", "MYID")) for node in nodes]
        for node in nodes[1:]:
            bus = node.options[node.options.index("--cluster-port") + 1]
            _tell(nodes[0].client, "CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        for replica, master_id in zip(cluster.replicas, ids, strict=False):
            _wait(lambda node=replica, of=master_id: _follows(node.client, of))  # type: ignore[misc]
        cluster.wait_until_well()
        for replica in cluster.replicas:
            _wait(lambda node=replica: _is_in_step(node.client))  # type: ignore[misc]
        yield cluster


def _tell(client: Any, *words: str | int) -> object:
    answer: object = client.execute_command(*words)
    return answer


def _follows(replica: Redis, master_id: str) -> bool:
    try:
        _tell(replica, "CLUSTER", "REPLICATE", master_id)
    except RedisError:  # It has not heard of that master yet.
        return False
    return True


def _is_in_step(replica: Redis) -> bool:
    return bool(replica.info("replication").get("master_link_status") == "up")


def _is_well(client: Redis) -> bool:
    lines = str(_tell(client, "CLUSTER", "INFO")).split()
    return {"cluster_state:ok", f"cluster_slots_ok:{SLOTS}"} <= set(lines)


def _wait(is_so: Callable[[], bool], seconds: float = 20) -> None:
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except RedisError:
            pass
        assert time.monotonic() < give_up_at, "the cluster does not come about"
        time.sleep(0.05)
