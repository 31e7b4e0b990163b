"""`/api/v1/auth/revocations`: what services learn that verify access tokens themselves."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.doors.probes import bearer, create_user, execute, sign_in_by_bearer
from tests.doors.test_statements import statements
from tests.support import parts_of
from webapp import clock
from webapp.errors import TemporarilyUnavailable
from webapp.services.revocations import Revocations
from webapp.services.secrets import new_secret

FEED = "/api/v1/auth/revocations"
ONE, OTHER = new_secret(), new_secret()


@pytest.fixture
def app(make_app: MakeApp) -> APIFlask:
    """An application that two services may ask, and Alice's account."""
    app = make_app(revocations_tokens=f"{ONE}, {OTHER}")
    create_user(app)
    return app


def ask(app: APIFlask, since: str | None = None, **headers: str) -> TestResponse:
    values = {} if since is None else {"since": since}
    return app.test_client().get(FEED, query_string=values, headers=bearer(ONE) | headers)


def read(app: APIFlask, since: str | None = None) -> dict[str, Any]:
    parts_of(app).revocations.expect_change()
    response = ask(app, since)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.get_json()
    assert body.keys() == {"data", "next"}
    return body


def sign_out(app: APIFlask, token: str) -> None:
    assert app.test_client().post("/api/v1/auth/logout", headers=bearer(token)).status_code == 204


def ended_session(app: APIFlask) -> tuple[str, int]:
    """Sign in and out, and return the session with when its last token was issued."""
    token = sign_in_by_bearer(app.test_client())["access_token"]
    sign_out(app, token)
    claims = jwt.decode(token, options={"verify_signature": False})
    return claims["sid"], claims["iat"]


def sids(feed: dict[str, Any]) -> list[str]:
    return [item["sid"] for item in feed["data"]]


def test_a_session_that_ended_is_told_with_all_its_tokens_refused(app: APIFlask) -> None:
    assert read(app) == {"data": [], "next": "0"}
    sid, issued_at = ended_session(app)
    [item] = read(app)["data"]
    assert item["sid"] == sid
    assert item["not_before"].endswith("Z")
    assert datetime.fromisoformat(item["not_before"]).timestamp() > issued_at


def test_a_session_that_changed_is_told_with_its_older_tokens_refused(app: APIFlask) -> None:
    sign_in_by_bearer(app.test_client())
    moment = clock.now() + timedelta(seconds=1, microseconds=500)
    execute(app, "UPDATE sessions SET changed_at = :at", at=f"{moment:%Y-%m-%d %H:%M:%S.%f}")
    [item] = read(app)["data"]
    assert datetime.fromisoformat(item["not_before"]) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "not_signed_in"),
        ({"Authorization": ""}, "not_signed_in"),
        ({"Authorization": f"Basic {ONE}"}, "not_signed_in"),
        (bearer(""), "not_signed_in"),
        (bearer(ONE[:-1]), "token_invalid"),
        (bearer(ONE + "x"), "token_invalid"),
        (bearer(f"{ONE}, {OTHER}"), "token_invalid"),
        (bearer("é\xff"), "token_invalid"),
    ],
    ids=range(8),
)
def test_without_a_token_nothing_is_told(app: APIFlask, headers: dict[str, str], code: str) -> None:
    ended_session(app)
    response = app.test_client().get(FEED, headers=headers)
    assert (response.status_code, response.get_json()["code"]) == (401, code)
    assert "WWW-Authenticate" in response.headers


def test_each_of_the_tokens_will_do(app: APIFlask) -> None:
    for token in (ONE, OTHER):
        assert app.test_client().get(FEED, headers=bearer(token)).status_code == 200


def test_no_access_token_will_do(app: APIFlask) -> None:
    token = sign_in_by_bearer(app.test_client())["access_token"]
    assert app.test_client().get(FEED, headers=bearer(token)).status_code == 401


def test_where_no_tokens_are_set_nobody_reads(make_app: MakeApp) -> None:
    for token in ("", ",", "x"):
        response = make_app().test_client().get(FEED, headers=bearer(token))
        assert response.status_code == 401


@pytest.mark.parametrize(
    "cursor", ["x", "-1", "1.5", "1" * 18, "9" * 17, "٣", " 1", "0x1", "' OR 1=1 --"]
)
def test_a_cursor_that_is_not_ours_is_refused(app: APIFlask, cursor: str) -> None:
    response = ask(app, cursor)
    assert response.status_code == 422
    [error] = response.get_json()["errors"]
    assert (error["field"], error["code"]) == ("since", "invalid_cursor")


def test_following_the_cursor_tells_everything(app: APIFlask) -> None:
    cursor, told, ended = "", [], []
    began_at = clock.now()
    for step in range(12):
        with time_machine.travel(began_at + timedelta(seconds=25 * step)):
            ended.append(ended_session(app)[0])
            feed = read(app, cursor)
            assert int(feed["next"]) >= int(cursor or 0)
            cursor = feed["next"]
            told.append(sids(feed))
    assert {sid for page in told for sid in page} == set(ended)
    assert [page[-1] for page in told] == ended
    assert max(map(len, told)) <= 4, "not all of it again and again"


def test_a_change_that_is_committed_late_is_not_missed(app: APIFlask) -> None:
    """It is dated by its statement, and read only once its transaction is through."""
    late = sign_in_by_bearer(app.test_client())["access_token"]
    dated = clock.now()
    with time_machine.travel(dated + timedelta(seconds=30)):
        ended_session(app)
        cursor = read(app)["next"]
        statement = "UPDATE sessions SET ended_at = :at, changed_at = :at WHERE ended_at IS NULL"
        execute(app, statement, at=f"{dated:%Y-%m-%d %H:%M:%S.%f}")
        sid = jwt.decode(late, options={"verify_signature": False})["sid"]
        assert sid in sids(read(app, cursor))


def test_a_worker_whose_snapshot_is_older_takes_nothing_away(app: APIFlask) -> None:
    """Polls reach another worker each, and one may have read a second before the other."""
    first, _ = ended_session(app)
    older = Revocations(frozen(app), timedelta(minutes=15))
    older.since(clock.now())
    with time_machine.travel(clock.now() + timedelta(seconds=90)):
        second, _ = ended_session(app)
        ahead = read(app)
        assert sids(ahead) == [first, second]
        parts = parts_of(app)
        newer = parts.revocations
        object.__setattr__(parts, "revocations", older)
        behind = ask(app, ahead["next"]).get_json()
        object.__setattr__(parts, "revocations", newer)
        assert behind == {"data": [], "next": ahead["next"]}
        assert sids(read(app, behind["next"])) == [second]


def frozen(app: APIFlask) -> Callable[[datetime], list[tuple[str, datetime, bool]]]:
    """Return a reader that always tells what there is to be told now."""
    with app.app_context():
        found = parts_of(app).sessions.changed_since(clock.now() - timedelta(minutes=15))
    return lambda _: found


def test_it_goes_back_one_access_token_lifetime(app: APIFlask) -> None:
    ended_session(app)
    with time_machine.travel(clock.now() + timedelta(minutes=14)):
        assert len(read(app)["data"]) == 1
    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        assert read(app)["data"] == []


def test_it_asks_no_store(app: APIFlask) -> None:
    ended_session(app)
    cursor = read(app)["next"]
    with statements(app) as found:
        for _ in range(20):
            assert ask(app, cursor).status_code == 200
    assert found == []


def test_what_has_not_changed_is_not_sent_again(app: APIFlask) -> None:
    ended_session(app)
    first = ask(app)
    again = ask(app, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    ended_session(app)
    parts_of(app).revocations.expect_change()
    assert ask(app, **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_while_the_store_is_down_it_says_so(app: APIFlask) -> None:
    def fail(_: datetime) -> list[tuple[str, datetime, bool]]:
        raise TemporarilyUnavailable

    object.__setattr__(parts_of(app), "revocations", Revocations(fail, timedelta(minutes=15)))
    assert ask(app).status_code == 503
