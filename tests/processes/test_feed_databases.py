"""What relying parties are told, on each kind of database."""

from datetime import timedelta

from apiflask import APIFlask

from tests.processes.kit import API, bearer, claims_of, newcomer
from tests.support import parts_of
from webapp import clock
from webapp.features.relying_parties import flow
from webapp.services import sessions
from webapp.stores.transactions import transact


def test_ends_and_changes_are_told(every_shared_database: APIFlask) -> None:
    app = every_shared_database
    ended, changed, untouched = (newcomer(app) for _ in range(3))
    client = app.test_client()
    reply = client.post(f"{API}/logout", headers=bearer(ended.access))
    assert reply.status_code == 204
    with app.app_context():
        person = claims_of(changed.access)["sub"]
        transact(lambda: sessions.note_change_of(person))
        parts_of(app).revocations.expect_change()
        feed = flow.read_feed("")
        again = flow.read_feed(feed.cursor)
    told = dict(feed.not_before)
    assert told[ended.session_id] > clock.now()
    assert abs(told[changed.session_id] - clock.now()) < timedelta(seconds=30)
    assert untouched.session_id not in told
    # Within a minute everything is told again; what is older, in a Redis that tests share, is not.
    assert again.cursor == feed.cursor
    assert {ended.session_id, changed.session_id} <= dict(again.not_before).keys()
    assert set(again.not_before) <= set(feed.not_before)
    answers = [
        client.get(f"{API}/check", headers=bearer(tokens.access)).status_code
        for tokens in (ended, untouched)
    ]
    assert answers == [401, 204]
