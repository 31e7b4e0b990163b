"""Two nodes behind nginx: one site, whichever of them answers, and whichever of them dies."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from apiflask import APIFlask
from requests.adapters import HTTPAdapter
from sqlalchemy import select

from tests.doors_kit import JsonDoor
from tests.processes.cluster_kit import SESSION_STORES, Cluster, cluster
from tests.processes.kit import (
    API,
    Tokens,
    bearer,
    new_address,
    sign_in_at,
    wait_until,
)
from tests.support import PASSWORD, close_app, make_settings
from webapp.extensions import db
from webapp.factory import create_app
from webapp.models import AuditEventRow, UserRow

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.faults]

# About a second is promised; machines that run tests are busy.
SOON = 3.0
CLIENTS = 6


@pytest.fixture(scope="module", params=SESSION_STORES)
def two_nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A cluster that the tests share, with the sessions in each store in turn."""
    # The window is short, so that a test of some seconds sees many rotations.
    variables = {"REFRESH_GRACE": "1s", "RATE_LIMITS": "on", "SESSION_STORE": request.param}
    with cluster(tmp_path_factory.mktemp("cluster"), **variables) as made:
        yield made


@pytest.fixture(scope="module")
def beside(two_nodes: Cluster) -> Iterator[APIFlask]:
    """An application beside the nodes, on the same database, in this process."""
    app = create_app(make_settings(two_nodes.database_url))
    yield app
    close_app(app)


@pytest.fixture
def email(beside: APIFlask) -> str:
    """Somebody with an account, whom no other test knows."""
    email = new_address()
    JsonDoor(beside).make_account(email)
    return email


def ask(
    url: str, path: str, token: str, method: str = "GET", **arguments: Any
) -> requests.Response:
    """Ask over a connection of its own."""
    headers = bearer(token) | arguments.pop("headers", {})
    return requests.request(method, url + API + path, headers=headers, timeout=60, **arguments)


def test_signed_in_on_one_refreshed_on_the_other_ended_on_both(
    two_nodes: Cluster, email: str
) -> None:
    one, other = (node.url for node in two_nodes.nodes)
    first = sign_in_at(two_nodes.nodes[0].site, email)
    reply = ask(other, "/refresh", first.refresh, "POST")
    assert reply.status_code == 200
    tokens = Tokens.of(reply.json())
    assert tokens.generation == first.generation + 1

    def answers() -> set[int]:
        return {ask(url, "/me", tokens.access).status_code for url in (one, other) * 6}

    assert answers() == {200}
    assert ask(one, "/logout", tokens.access, "POST").status_code == 204
    wait_until(lambda: answers() == {401}, SOON)
    assert ask(other, "/refresh", tokens.refresh, "POST").status_code == 401


def test_tries_are_counted_over_both_nodes(two_nodes: Cluster) -> None:
    """Ten wrong passwords are ten, however a guesser spreads them."""
    body = {"email": new_address(), "password": "wrong horse 99"}
    statuses = [
        requests.post(two_nodes.nodes[number % 2].url + f"{API}/login", json=body, timeout=60)
        for number in range(12)
    ]
    assert [reply.status_code for reply in statuses] == [401] * 10 + [429] * 2


class From(HTTPAdapter):
    """Asks from one of this machine's own addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "203.0.113.9, 203.0.113.10", "X-Real-IP": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9", "X-Forwarded-Host": "evil.example"},
    ],
)
def test_the_address_in_the_audit_trail_is_the_real_one(
    two_nodes: Cluster, beside: APIFlask, email: str, forged: dict[str, str]
) -> None:
    with requests.Session() as client:
        client.mount("http://", From("127.0.0.7"))
        body = {"email": email, "password": PASSWORD, "transport": "bearer"}
        url = two_nodes.url.replace("localhost", "127.0.0.1") + f"{API}/login"
        headers = forged | {"Host": two_nodes.url.removeprefix("http://")}
        assert client.post(url, json=body, headers=headers, timeout=60).status_code == 200
    query = (
        select(AuditEventRow.ip)
        .join(UserRow, UserRow.id == AuditEventRow.user_id)
        .where(UserRow.email == email, AuditEventRow.event == "signed_in")
        .order_by(AuditEventRow.at.desc())
    )
    with beside.app_context():
        found = db.session.scalars(query).first()
    assert found == "127.0.0.7"


def test_what_is_for_operators_is_not_for_the_world(two_nodes: Cluster) -> None:
    for path in ("/metrics", "/readyz"):
        assert requests.get(two_nodes.url + path, timeout=60).status_code == 404
        assert requests.get(two_nodes.nodes[0].url + path, timeout=60).status_code == 200
    assert requests.get(two_nodes.url + "/healthz", timeout=60).status_code == 200


def test_the_workers_of_a_node_are_added_up(two_nodes: Cluster) -> None:
    node = two_nodes.nodes[1].url
    name = 'latchkey_request_duration_seconds_count{method="GET",route="/",status="200"}'

    def counted() -> float:
        lines = requests.get(node + "/metrics", timeout=60).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    before = counted()
    for _ in range(24):
        assert requests.get(node + "/", timeout=60).status_code == 200
    assert {counted() for _ in range(8)} == {before + 24}


class Clients:
    """People who go on whatever happens behind nginx, and notice every failed request."""

    def __init__(self, two_nodes: Cluster, email: str) -> None:
        """Sign each of them in."""
        self._cluster = two_nodes
        self._email = email
        self.held = [sign_in_at(two_nodes.front, email) for _ in range(CLIENTS)]
        self.begun = [tokens.generation for tokens in self.held]
        self.requests = 0
        self.failures: list[str] = []
        self._is_over = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have all of them refresh and ask who they are, over and over; nothing may fail."""
        threads = [threading.Thread(target=self._run, args=(n,)) for n in range(CLIENTS)]
        threads.append(threading.Thread(target=self._sign_in))
        for thread in threads:
            thread.start()
        try:
            self.let_pass(20)
            yield
            self.let_pass(20)
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join(90)
        assert not self.failures, self.failures[:5]

    def let_pass(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        goal = self.requests + count
        wait_until(lambda: self.requests >= goal or bool(self.failures), 60)

    def nobody_is_signed_out(self) -> bool:
        """Whether everybody can go on, and has moved on meanwhile."""
        for number, tokens in enumerate(self.held):
            reply = ask(self._cluster.url, "/refresh", tokens.refresh, "POST")
            assert reply.status_code == 200, reply.text
            self.held[number] = Tokens.of(reply.json())
        return all(
            tokens.generation > begun for tokens, begun in zip(self.held, self.begun, strict=True)
        )

    def _run(self, number: int) -> None:
        while not self._is_over.is_set() and not self.failures:
            tokens = self.held[number]
            if reply := self._ask("/refresh", tokens.refresh, "POST"):
                self.held[number] = tokens = Tokens.of(reply.json())
            self._ask("/me", tokens.access)
            self._is_over.wait(0.05)

    def _sign_in(self) -> None:
        body = {"email": self._email, "password": PASSWORD, "transport": "bearer"}
        while not self._is_over.is_set() and not self.failures:
            self._ask("/login", "", "POST", json=body, headers={"Authorization": None})
            self._is_over.wait(0.3)

    def _ask(
        self, path: str, token: str, method: str = "GET", **arguments: Any
    ) -> requests.Response | None:
        try:
            reply = ask(self._cluster.url, path, token, method, **arguments)
        except requests.RequestException as error:
            self.failures.append(f"{path}: {error!r}")
            return None
        self.requests += 1
        if reply.status_code != 200:
            self.failures.append(f"{path}: {reply.status_code} {reply.text[:300]}")
            return None
        return reply


def test_a_rolling_restart_is_not_noticed(two_nodes: Cluster, email: str) -> None:
    clients = Clients(two_nodes, email)
    with clients.at_work():
        for node in two_nodes.nodes:
            node.stop()
            # The other one alone.
            clients.let_pass(20)
            node.start()
            node.wait_until_ready()
            clients.let_pass(20)
    assert clients.nobody_is_signed_out()


def test_a_node_that_is_killed_signs_nobody_out(two_nodes: Cluster, email: str) -> None:
    """Its replies are lost half-way; nginx asks the other node, which hands out the same."""
    clients = Clients(two_nodes, email)
    with clients.at_work():
        node = two_nodes.nodes[0]
        node.kill()
        # The other one alone.
        clients.let_pass(40)
        node.start()
        node.wait_until_ready()
    assert clients.nobody_is_signed_out()
