"""Connections that end in the middle of a transaction, during its commit, and under load."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, create_engine, event, make_url, select, text, update

from tests.database_kit import server_database
from tests.doors_kit import JsonDoor
from tests.processes.kit import API, Tokens, bearer, new_address, sign_in
from tests.processes.proxy_kit import Proxy, proxy
from tests.support import SERVERS, make_settings
from webapp.errors import TemporarilyUnavailable
from webapp.extensions import db
from webapp.factory import create_app
from webapp.models import UserRow
from webapp.stores.transactions import transact

pytestmark = pytest.mark.xdist_group("lost connections")

CLIENTS = 6


class Site:
    """An application whose way to its database leads through a proxy, and the short way there."""

    def __init__(self, app: APIFlask, between: Proxy, database_url: str) -> None:
        self.app = app
        self.proxy = between
        self.database_url = database_url

    @contextmanager
    def operator(self) -> Iterator[Connection]:
        """Somebody else's connection, which nothing in between touches."""
        engine = create_engine(self.database_url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def end_my_connection(self) -> None:
        """Have the server end the connection of the transaction at hand."""
        is_postgresql = db.engine.dialect.name == "postgresql"
        which = "SELECT pg_backend_pid()" if is_postgresql else "SELECT CONNECTION_ID()"
        number = db.session.scalar(text(which))
        how = "SELECT pg_terminate_backend(:id)" if is_postgresql else "KILL :id"
        with self.operator() as connection:
            connection.execute(text(how), {"id": number})

    @contextmanager
    def at_commit(self, number: int) -> Iterator[None]:
        """Lose the reply to the n-th commit from now on; the server itself does it."""
        left = [number]

        def before_commit(_connection: Connection) -> None:
            left[0] -= 1
            if left[0] == 0:
                self.proxy.lose_the_next_reply()

        event.listen(db.engine, "commit", before_commit)
        try:
            yield
        finally:
            event.remove(db.engine, "commit", before_commit)


@pytest.fixture(scope="module", params=list(SERVERS))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site on each server in turn; its tests use addresses of their own."""
    with server_database(request.param) as database:
        url = make_url(database.url)
        assert url.port
        with proxy(url.port) as between:
            through = url.set(port=between.port).render_as_string(hide_password=False)
            # The window is short, so that a test of some seconds sees many rotations.
            app = create_app(make_settings(through, refresh_grace="1s"))
            yield Site(app, between, database.url)
            with app.app_context():
                db.engine.dispose()


@pytest.fixture
def email(site: Site) -> str:
    """Somebody with an account, whom no other test knows."""
    email = new_address()
    JsonDoor(site.app).make_account(email)
    return email


def append(email: str, letter: str) -> None:
    """Add a letter to somebody's name: doing it twice shows."""
    row = update(UserRow).where(UserRow.email == email)
    db.session.execute(row.values(name=UserRow.name.concat(letter)))


def name_of(site: Site, email: str) -> str:
    with site.operator() as connection:
        return str(connection.scalar(select(UserRow.name).where(UserRow.email == email)))


def test_a_connection_that_ends_in_the_middle_is_replaced_and_the_work_done_once(
    site: Site, email: str
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
    assert name_of(site, email) == "ab"


def test_a_connection_that_ends_before_its_commit_is_not_taken_for_done(
    site: Site, email: str
) -> None:
    """Nobody can tell this from a commit whose reply was lost, so it is not done again either."""
    runs: list[int] = []

    def work() -> None:
        append(email, "a")
        runs.append(1)

    def before_commit(_connection: Connection) -> None:
        site.end_my_connection()

    with site.app.app_context():
        # The listener itself asks for the connection's number: once, and inside the session.
        event.listen(db.session(), "before_commit", before_commit)
        try:
            with pytest.raises(TemporarilyUnavailable):
                transact(work)
        finally:
            event.remove(db.session(), "before_commit", before_commit)
    assert len(runs) == 1
    assert name_of(site, email) == ""


def test_a_commit_whose_reply_is_lost_is_not_done_twice(site: Site, email: str) -> None:
    runs: list[int] = []

    def work() -> None:
        append(email, "a")
        runs.append(1)

    with site.app.app_context(), site.at_commit(1), pytest.raises(TemporarilyUnavailable):
        transact(work)
    assert len(runs) == 1
    assert name_of(site, email) == "a"


def test_a_refresh_whose_commit_is_lost_is_told_so_and_good_for_another_try(
    site: Site, email: str
) -> None:
    door = JsonDoor(site.app)
    assert door.sign_in(email).is_fine
    with site.app.app_context(), site.at_commit(1):
        lost = door.refresh()
    assert (lost.status, lost.code) == (503, "temporarily_unavailable")
    assert not [c for c in lost.response.headers.getlist("Set-Cookie") if "_token=" in c]
    assert door.refresh().is_fine
    assert door.who_am_i() == email


@pytest.mark.parametrize("site", ["postgresql"], indirect=True, scope="module")
def test_a_conflict_that_shows_at_the_commit_is_tried_again(site: Site, email: str) -> None:
    """The server says that it did nothing, so this commit, unlike a lost one, may be repeated."""
    other_email = new_address()
    JsonDoor(site.app).make_account(other_email)
    names = select(UserRow.email, UserRow.name).where(UserRow.email.in_([email, other_email]))
    serializable = text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    runs: list[dict[str, str]] = []

    def work() -> None:
        """Write one's own name after the other's: nobody who looked before may miss the other."""
        db.session.execute(serializable)
        seen = {row.email: row.name for row in db.session.execute(names)}
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
    assert name_of(site, email) == "after o"


def test_a_rush_is_served_with_a_bounded_number_of_connections(site: Site, email: str) -> None:
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


def test_a_database_that_is_restarted_under_load_signs_nobody_out(site: Site, email: str) -> None:
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
