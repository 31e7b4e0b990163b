"""What monitoring reads: requests, sign-ins, refreshes, hashing and mail, as Prometheus takes it.

A node has several worker processes, and a scrape reaches one of them. So each process writes its
numbers to files in PROMETHEUS_MULTIPROC_DIR, which gunicorn.conf.py makes, and whoever is asked
adds them up. Without that directory (a development server, the shell, tests) a process tells of
itself alone.

No label ever carries anything of a person, and every label has a bounded number of values.
"""

import os
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

FORMAT = "text/plain; version=0.0.4; charset=utf-8"
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

# Seconds: a check of a token takes less than the first, a sign-in's hash about the fifth.
_BUCKETS = (0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

_SIGN_INS = {"signed_in": "signed_in", "account_restored": "signed_in"}
_FAILURES = {"wrong_password", "unknown_address", "email_not_verified", "disabled"}


class Metrics:
    """The numbers of one application in this process."""

    def __init__(self) -> None:
        """Start at nothing; beside other applications in the process, which have their own."""
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "latchkey_request_duration_seconds",
            "Requests by method, route and status, and how long they took.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._by_request: dict[tuple[str, str, str], Histogram] = {}
        self._sign_ins = Counter(
            "latchkey_sign_ins", "Sign-ins by result.", ("result",), registry=self._registry
        )
        self._refreshes = Counter(
            "latchkey_refreshes",
            "Presented refresh tokens by what became of them.",
            ("outcome",),
            registry=self._registry,
        )
        self._hashing = Gauge(
            "latchkey_password_hashes_pending",
            "Passwords that are being hashed or wait for their turn.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._hashes_refused = Counter(
            "latchkey_password_hashes_refused",
            "Passwords that were not hashed since too many waited.",
            registry=self._registry,
        )

    def observe_request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one request.

        :param route: the rule that it matched, not its path, which anybody can make up; None
            where there was none.
        """
        which = (method if method in _METHODS else "other", route or "none", str(status))
        child = self._by_request.get(which)
        if child is None:
            # As many as there are routes; looking a label up takes longer than counting by it.
            child = self._by_request[which] = self._requests.labels(*which)
        child.observe(seconds)

    def count_event(self, event: str, detail: str) -> None:
        """Count an event of the audit trail, if it is one of a sign-in."""
        if event in _SIGN_INS:
            self.count_sign_in(_SIGN_INS[event])
        elif event == "sign_in_failed" and detail in _FAILURES:
            self.count_sign_in(detail)
        elif event == "provider_sign_in_failed":
            self.count_sign_in("provider_refused")

    def count_sign_in(self, result: str) -> None:
        """Count one sign-in; `result` is a word of ours."""
        self._sign_ins.labels(result).inc()

    def count_refresh(self, outcome: str) -> None:
        """Count one presented refresh token; `outcome` is a kind of the rule or an error's code."""
        self._refreshes.labels(outcome).inc()

    def hash_begins(self) -> None:
        """Note that somebody queues for a hash."""
        self._hashing.inc()

    def hash_ends(self) -> None:
        """Note that the hash is done, or given up."""
        self._hashing.dec()

    def count_refused_hash(self) -> None:
        """Count somebody who is turned away, as too many queue."""
        self._hashes_refused.inc()

    def render(self, *more: Metric) -> bytes:
        """Return everything in Prometheus's text format, over all processes of this node."""
        if not os.environ.get(DIRECTORY):
            return generate_latest(_Together(self._registry.collect(), more))
        collector = MultiProcessCollector(None)  # type: ignore[no-untyped-call]
        counted = collector.collect()  # type: ignore[no-untyped-call]
        return generate_latest(_Together(counted, more))


def gauge(name: str, help_: str, value: float) -> Metric:
    """Return a number that is asked for at each scrape."""
    return GaugeMetricFamily(f"latchkey_{name}", help_, value)


class _Together(CollectorRegistry):
    """What was counted, and what was asked for just now."""

    def __init__(self, counted: Iterable[Metric], asked: Iterable[Metric]) -> None:
        super().__init__()
        self._metrics = (*counted, *asked)

    def collect(self) -> Iterable[Metric]:
        return self._metrics
