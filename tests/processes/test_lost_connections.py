"""Connections that end in the middle of a transaction, during its commit, and under load."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import make_url, select, text, update

from tests.database_kit import before_statements
from tests.doors_kit import JsonDoor
from tests.processes.kit import API, Tokens, bearer, new_address, sign_in
from tests.processes.proxied_kit import ProxiedSite, append, proxied_site
from tests.support import SERVERS
from webapp.errors import TemporarilyUnavailable
from webapp.extensions import db
from webapp.models import UserRow
from webapp.stores.transactions import execute, transact

pytestmark = pytest.mark.xdist_group("lost connections")

CLIENTS = 6


@pytest.fixture(scope="module", params=list(SERVERS))
def site(request: pytest.FixtureRequest) -> Iterator[ProxiedSite]:
    """A site on each server in turn; its tests use addresses of their own."""
    with proxied_site(request.param) as made:
        yield made


@pytest.fixture
def email(site: ProxiedSite) -> str:
    """Somebody with an account, whom no other test knows."""
    return site.somebody()


def test_a_connection_that_ends_in_the_middle_is_replaced_and_the_work_done_once(
    site: ProxiedSite, email: str
) -> None:
    runs: list[int] = []

    def work() -> None:
        append(email, "a")
        runs.append(1)
        if len(runs) == 1:
            site.end_my_connection()
        append(email, "b")

    with site.app.app_context():
        transact(work)
    assert len(runs) == 2
    assert site.name_of(email) == "ab"


def test_a_connection_that_ends_before_its_commit_is_not_taken_for_done(
    site: ProxiedSite, email: str
) -> None:
    """Nobody can tell this from a commit whose reply was lost, so it is not done again either."""
    runs: list[int] = []

    def work() -> None:
        append(email, "a")
        runs.append(1)

    def before_commit(statement: str) -> None:
        if statement == "COMMIT":
            site.end_my_connection()

    with (
        site.app.app_context(),
        before_statements(db.engine, before_commit),
        pytest.raises(TemporarilyUnavailable),
    ):
        transact(work)
    assert len(runs) == 1
    assert site.name_of(email) == ""


def test_a_commit_whose_reply_is_lost_is_not_done_twice(site: ProxiedSite, email: str) -> None:
    runs: list[int] = []

    def work() -> None:
        append(email, "a")
        runs.append(1)

    with (
        site.app.app_context(),
        site.losing_the_reply_to("COMMIT") as commits,
        pytest.raises(TemporarilyUnavailable),
    ):
        transact(work)
    assert (len(runs), len(commits)) == (1, 1)
    assert site.name_of(email) == "a"


@pytest.mark.parametrize("site", ["postgresql"], indirect=True, scope="module")
def test_a_conflict_that_shows_at_the_commit_is_tried_again(site: ProxiedSite, email: str) -> None:
    """The server says that it did nothing, so this commit, unlike a lost one, may be repeated."""
    other_email = new_address()
    JsonDoor(site.app).make_account(other_email)
    names = select(UserRow.email, UserRow.name).where(UserRow.email.in_([email, other_email]))
    serializable = text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    runs: list[dict[str, str]] = []

    def work() -> None:
        """Write one's own name after the other's: nobody who looked before may miss the other."""
        execute(serializable)
        seen = {row.email: row.name for row in execute(names)}
        runs.append(seen)
        if len(runs) == 1:
            with site.operator() as other:
                other.execute(serializable)
                other.execute(names).all()
                rename = update(UserRow).where(UserRow.email == other_email)
                other.execute(rename.values(name="o"))
                other.commit()
        append(email, f"after {seen[other_email]}")

    with site.app.app_context():
        transact(work)
    assert len(runs) == 2
    assert site.name_of(email) == "after o"


def test_a_rush_is_served_with_a_bounded_number_of_connections(
    site: ProxiedSite, email: str
) -> None:
    """Twice as many threads as a worker has, all at once: nobody is turned away."""
    tokens = [sign_in(site.app, email) for _ in range(8)]
    database = make_url(site.database_url).database
    count = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = :name"
        if "postgresql" in site.database_url
        else "SELECT count(*) FROM information_schema.processlist WHERE db = :name"
    )

    def refresh(number: int) -> int:
        header = bearer(tokens[number % 8].refresh)
        return site.app.test_client().post(f"{API}/refresh", headers=header).status_code

    with site.app.app_context():
        db.engine.dispose()
    seen: list[int] = []
    with site.operator() as operator, ThreadPoolExecutor(64) as pool:
        beside = operator.scalar(count, {"name": database}) or 0
        answers = [pool.submit(refresh, number) for number in range(256)]
        while not all(answer.done() for answer in answers):
            seen.append(operator.scalar(count, {"name": database}) or 0)
            operator.rollback()
    assert {answer.result() for answer in answers} == {200}
    assert 2 < max(seen) - beside <= 20


def test_a_database_that_is_restarted_under_load_signs_nobody_out(
    site: ProxiedSite, email: str
) -> None:
    """Every reply is the next pair or "come back later"; three restarts, each of half a second."""
    held = [sign_in(site.app, email) for _ in range(CLIENTS)]
    begun = [tokens.generation for tokens in held]
    is_over, statuses = threading.Event(), list[int]()

    def run(number: int) -> None:
        client = site.app.test_client()
        while not is_over.is_set():
            reply = client.post(f"{API}/refresh", headers=bearer(held[number].refresh))
            statuses.append(reply.status_code)
            assert reply.headers.getlist("Set-Cookie") == []
            if reply.status_code == 200:
                held[number] = Tokens.of(reply.get_json())
            is_over.wait(0.02)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            is_over.wait(0.7)
            site.proxy.refuse()
            is_over.wait(0.5)
            site.proxy.start()
        is_over.wait(1.2)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(60)
    assert set(statuses) == {200, 503}
    client = site.app.test_client()
    for tokens, generation in zip(held, begun, strict=True):
        reply = client.post(f"{API}/refresh", headers=bearer(tokens.refresh))
        assert reply.status_code == 200
        assert Tokens.of(reply.get_json()).generation > generation
