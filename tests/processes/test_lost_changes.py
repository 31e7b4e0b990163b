"""What needs no transaction, on connections that are lost: read again, and never changed twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.doors_kit import JsonDoor
from tests.processes.kit import sign_in
from tests.processes.proxied_kit import ProxiedSite, append, proxied_site
from tests.support import SERVERS, parts_of
from webapp import clock
from webapp.errors import TemporarilyUnavailable
from webapp.models import UserRow
from webapp.stores.transactions import change, read, scalar, transact

pytestmark = pytest.mark.xdist_group("lost connections")


@pytest.fixture(scope="module", params=list(SERVERS))
def site(request: pytest.FixtureRequest) -> Iterator[ProxiedSite]:
    """A site on each server in turn; its tests use addresses of their own."""
    with proxied_site(request.param) as made:
        yield made


@pytest.fixture
def email(site: ProxiedSite) -> str:
    """Somebody with an account, whom no other test knows."""
    return site.somebody()


def test_a_change_whose_reply_is_lost_is_not_done_twice(site: ProxiedSite, email: str) -> None:
    """One statement is committed by itself, so that its reply is the commit's."""
    with (
        site.app.app_context(),
        site.losing_the_reply_to("UPDATE") as updates,
        pytest.raises(TemporarilyUnavailable),
    ):
        change(lambda: append(email, "a"))
    assert len(updates) == 1
    assert site.name_of(email) == "a"


def test_a_change_whose_connection_has_ended_is_not_taken_for_done(
    site: ProxiedSite, email: str
) -> None:
    """Nobody can tell this from the one before."""
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        site.end_my_connection()
        append(email, "a")

    with site.app.app_context(), pytest.raises(TemporarilyUnavailable):
        change(work)
    assert len(runs) == 1
    assert site.name_of(email) == ""


def test_a_reading_whose_reply_is_lost_is_read_again(site: ProxiedSite, email: str) -> None:
    query = select(UserRow.email).where(UserRow.email == email)
    with site.app.app_context(), site.losing_the_reply_to("SELECT") as queries:
        assert read(lambda: scalar(query)) == email
    assert len(queries) == 2


def test_a_transaction_that_finds_its_connection_ended_begins_again(
    site: ProxiedSite, email: str
) -> None:
    """As after a restart of the server: what waits in the pool is no connection any more."""
    with site.app.app_context():
        read(site.end_my_connection)
        transact(lambda: append(email, "a"))
    assert site.name_of(email) == "a"


def test_the_snapshot_of_ended_sessions_is_read_on_another_connection_then(
    site: ProxiedSite, email: str
) -> None:
    sessions = parts_of(site.app).sessions
    ended = sign_in(site.app, email)
    with site.app.app_context():
        transact(lambda: sessions.end(ended.session_id, "x"))
        with site.losing_the_reply_to("SELECT") as queries:
            found = sessions.changed_since(clock.now() - timedelta(minutes=1))
    assert len(queries) == 2
    assert ended.session_id in {session_id for session_id, _, _ in found}


def test_a_refresh_whose_swap_is_lost_is_told_so_and_good_for_another_try(
    site: ProxiedSite, email: str
) -> None:
    door = JsonDoor(site.app)
    assert door.sign_in(email).is_fine
    with site.app.app_context(), site.losing_the_reply_to("UPDATE sessions") as swaps:
        lost = door.refresh()
    assert len(swaps) == 1
    assert (lost.status, lost.code) == (503, "temporarily_unavailable")
    assert not [c for c in lost.response.headers.getlist("Set-Cookie") if "_token=" in c]
    assert door.refresh().is_fine
    assert door.who_am_i() == email
