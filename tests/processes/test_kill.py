"""Workers killed in the middle of their work: everything happens whole or not at all."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from apiflask import APIFlask
from sqlalchemy import create_engine, select, text

from tests.doors_kit import JsonDoor
from tests.processes.kit import (
    API,
    Tokens,
    bearer,
    claims_of,
    new_address,
    sign_in_at,
)
from tests.support import PASSWORD, LiveSite, find_link, live_site, parts_of, skip, token_in
from webapp.extensions import db
from webapp.models import AuditEventRow, OneTimeTokenRow, OutboxRow, UserRow
from webapp.services.secrets import digest

pytestmark = pytest.mark.xdist_group("kill")

KILLS, WORKERS, CLIENTS = 4, 2, 6


class Load:
    """Clients that go on whatever happens: where a connection breaks, they ask again."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.is_over = threading.Event()
        self.answered = 0
        self.interrupted = 0
        self.failures: list[BaseException] = []

    def post(self, path: str, **arguments: Any) -> requests.Response:
        """Ask until there is an answer; an answer of any kind is one."""
        for _ in range(500):
            try:
                reply = requests.post(self.site.url + API + path, timeout=60, **arguments)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                self.interrupted += 1
                self.is_over.wait(0.05)
                continue
            self.answered += 1
            return reply
        raise AssertionError("no worker answers any more")

    @contextmanager
    def of(self, *clients: Callable[[], None]) -> Iterator[None]:
        """Have each client do its work over and over, in a thread of its own."""

        def run(client: Callable[[], None]) -> None:
            try:
                while not self.is_over.is_set():
                    client()
            except BaseException as failure:
                self.failures.append(failure)

        threads = [threading.Thread(target=run, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join(60)
        assert not self.failures, self.failures

    def kill_workers(self) -> None:
        """Kill all workers at once, again and again, each time at some moment of full load."""
        for _ in range(KILLS):
            goal = self.answered + random.randint(20, 40)
            while self.answered < goal and not self.failures:
                time.sleep(0.001)
            for worker in workers_of(self.site):
                os.kill(worker, signal.SIGKILL)
        assert not self.failures, self.failures
        assert self.interrupted, "no request was interrupted, so nothing was tried"


def workers_of(site: LiveSite) -> list[int]:
    """Return the process ids of a site's workers."""
    pid = site.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# MariaDB is left out: what happens to a dead client's transaction is the same there.
on_two_databases = pytest.mark.parametrize(
    "every_shared_database", ["sqlite", "postgresql"], indirect=True, scope="module"
)


@pytest.fixture(scope="module")
def site(
    every_shared_database: APIFlask, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveSite]:
    """A site with several workers on each kind of database in turn."""
    if not Path("/proc/self/task").exists():
        skip("this system does not say which processes are a site's workers")
    url = parts_of(every_shared_database).settings.database_url
    with live_site(url, tmp_path_factory.mktemp("site"), WORKERS) as site:
        yield site


@pytest.fixture
def load(site: LiveSite) -> Load:
    """Clients of that site."""
    return Load(site)


@on_two_databases
def test_nobody_is_signed_out(every_shared_database: APIFlask, load: Load) -> None:
    """A client whose reply was lost asks again with the token that it has, and goes on."""
    emails = [new_address() for _ in range(CLIENTS)]
    for email in emails:
        JsonDoor(every_shared_database).make_account(email)
    held = [sign_in_at(load.site, email) for email in emails]
    rotations = 0

    def client(number: int) -> Callable[[], None]:
        def refresh() -> None:
            nonlocal rotations
            tokens = held[number]
            reply = load.post("/refresh", headers=bearer(tokens.refresh))
            assert reply.status_code == 200, reply.text
            held[number] = Tokens.of(reply.json())
            rotations += held[number].generation > tokens.generation

        return refresh

    with load.of(*map(client, range(CLIENTS)), ageing(every_shared_database, load)):
        load.kill_workers()
    assert rotations > KILLS
    for tokens in held:
        assert load.post("/refresh", headers=bearer(tokens.refresh)).status_code == 200


def ageing(app: APIFlask, load: Load) -> Callable[[], None]:
    """Make every rotation a minute older, over and over: each presentation then rotates again."""
    kind = parts_of(app).settings.database_url.partition(":")[0].partition("+")[0]
    minute_earlier = {
        "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', rotated_at, '-1 minute')",
        "postgresql": "rotated_at - interval '1 minute'",
    }[kind]
    engine = create_engine(parts_of(app).settings.database_url)

    def age() -> None:
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE sessions SET rotated_at = {minute_earlier}"))
        load.is_over.wait(0.1)
        if load.is_over.is_set():
            engine.dispose()

    return age


@on_two_databases
def test_no_half_account_is_left(every_shared_database: APIFlask, load: Load) -> None:
    """Account, link, mail and audit are written together, and so are a proof and its use."""
    app = every_shared_database
    emails: list[str] = []

    def sign_up_and_verify() -> None:
        email = new_address()
        emails.append(email)
        body = {"email": email, "password": PASSWORD}
        assert load.post("/signup", json=body).status_code == 202
        token = token_in(find_link(JsonDoor(app).mails(email)[0].text))
        # 400 where the first try did it, and its reply was lost.
        assert load.post("/email/verify", json={"token": token}).status_code in (204, 400)
        reply = load.post("/login", json=body | {"transport": "bearer"})
        assert reply.status_code == 200, reply.text
        assert claims_of(reply.json()["access_token"])["sub"]

    with load.of(*[sign_up_and_verify] * CLIENTS):
        load.kill_workers()
    assert len(emails) > KILLS
    for email in emails:
        check_is_whole(app, email)


def check_is_whole(app: APIFlask, email: str) -> None:
    """See that an account, its link, the mails and the audit trail tell one story."""
    with app.app_context():
        user = db.session.scalars(select(UserRow).where(UserRow.email == email)).one_or_none()
        mails = db.session.scalars(
            select(OutboxRow)
            .where(OutboxRow.recipient == email, OutboxRow.template == "verify_email")
            .order_by(OutboxRow.created_at, OutboxRow.id)
        ).all()
        if user is None:
            assert not mails
            return
        link = db.session.scalars(
            select(OneTimeTokenRow).where(
                OneTimeTokenRow.user_id == user.id, OneTimeTokenRow.purpose == "verify_email"
            )
        ).one()
        events = db.session.scalars(
            select(AuditEventRow.event).where(AuditEventRow.user_id == user.id)
        ).all()
    assert link.digest == digest(token_in(find_link(mails[-1].text)))
    assert (link.used_at is None) == (user.email_verified_at is None)
    assert events.count("signed_up") == 1
    assert events.count("signed_up") + events.count("signed_up_again") == len(mails)
    assert events.count("email_verified") == (user.email_verified_at is not None)
