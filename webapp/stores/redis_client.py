"""Redis as our stores use it: one server or a cluster, and every call bounded in time.

Imported where there is a Redis: its library takes 6 MB.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import NoScriptError, RedisClusterException, RedisError
from redis.retry import Retry

from webapp.errors import TemporarilyUnavailable
from webapp.stores.redis_scripts import Script

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds. What waits for Redis holds a thread, and often somebody's row.
_TIMEOUT = 1.0
_PORT = 6379


class RedisServer:
    """A server, or a cluster where the address begins with `redis+cluster://`.

    Nothing is connected before the first call, so that a site starts while Redis is down.
    """

    def __init__(self, url: str) -> None:
        """Prepare, without connecting yet; `url` as REDIS_URL."""
        self._url = url
        self._client: Any = None
        self._lock = threading.Lock()
        self._complained_at = float("-inf")

    def ask(self, work: Callable[[Any], T]) -> T:
        """Do something with the client of redis-py.

        :raises TemporarilyUnavailable: when Redis is down, hangs, is full, or is busy electing
            another master: within a few seconds.
        """
        try:
            return work(self._connected())
        except (RedisError, RedisClusterException) as error:
            self._complain(error)
            raise TemporarilyUnavailable from error

    def run(self, script: Script, key: str, *arguments: str | int) -> Any:
        """Run a script on the one key that it touches; it is sent along when Redis has lost it.

        It may run twice, when its answer was lost and the call was tried again.
        """

        def work(client: Any) -> Any:
            try:
                return client.evalsha(script.sha, 1, key, *arguments)
            except NoScriptError:
                return client.eval(script.text, 1, key, *arguments)

        return self.ask(work)

    def walk(self, pattern: str) -> Iterator[str]:
        """Return the keys that match a pattern, on every master, a thousand looks at a time."""
        keys = self.ask(lambda client: client.scan_iter(pattern, count=1000))
        while (key := self.ask(lambda _: next(keys, None))) is not None:
            yield key

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _connected(self) -> Any:
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = _connect(self._url)
        return self._client

    def _complain(self, error: Exception) -> None:
        if time.monotonic() > self._complained_at + 10:
            self._complained_at = time.monotonic()
            logger.warning("Redis does not do what it is asked: %s: %s", type(error), error)


def _connect(url: str) -> Any:
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": _TIMEOUT,
        "socket_connect_timeout": _TIMEOUT,
        "protocol": 2,
        # Once more and at once: a connection that was idle may be that of a server before a
        # restart, and a master may have become a replica.
        "retry": Retry(NoBackoff(), 1),
    }
    scheme, _, rest = url.partition("://")
    if "+cluster" not in scheme:
        return Redis.from_url(url, **options)
    credentials, _, hosts = rest.rpartition("@")
    if credentials:
        username, _, password = credentials.partition(":")
        options |= {"username": unquote(username) or None, "password": unquote(password)}
    if scheme.startswith("rediss"):
        options["ssl"] = True
    nodes = [urlsplit(f"//{host}") for host in hosts.partition("/")[0].split(",")]
    known: list[Any] = [
        ClusterNode(node.hostname, node.port or _PORT)  # type: ignore[no-untyped-call]
        for node in nodes
    ]
    return RedisCluster(startup_nodes=known, **options)
