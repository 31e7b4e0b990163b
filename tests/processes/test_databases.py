"""The same behaviour on SQLite, PostgreSQL and MariaDB."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from apiflask import APIFlask
from sqlalchemy import func, select

from tests.conftest import MakeApp
from tests.doors_kit import Door, JsonDoor, PagesDoor
from tests.processes.kit import (
    API,
    bearer,
    claims_of,
    new_address,
    newcomer,
    sign_in,
)
from tests.redis_kit import stored_session
from tests.support import (
    PASSWORD,
    SERVERS,
    database_on,
    find_link,
    parts_of,
    skip_without,
    token_in,
)
from webapp.extensions import db
from webapp.models import OneTimeTokenRow, UserRow
from webapp.stores.transactions import change, read, transact

pytestmark = pytest.mark.xdist_group("shared databases")


@pytest.fixture
def app(every_shared_database: APIFlask) -> APIFlask:
    """An application on each kind of database in turn, in place of one on SQLite."""
    return every_shared_database


def count(app: APIFlask, email: str) -> int:
    with app.app_context():
        query = select(func.count()).select_from(UserRow).where(UserRow.email == email)
        return db.session.scalar(query) or 0


@pytest.mark.parametrize("kind", [PagesDoor, JsonDoor])
def test_from_sign_up_to_sign_out(app: APIFlask, kind: type[Door]) -> None:
    door, email = kind(app), new_address()
    assert door.sign_up(email, name="Zoë 🦀").is_fine
    assert door.sign_in(email).status == 403
    assert door.verify(door.mailed_token(email)).is_fine
    assert door.who_am_i() == email
    assert door.refresh().is_fine
    assert door.who_am_i() == email
    assert door.sign_out().is_fine
    assert door.who_am_i() is None
    assert door.sign_in(email).is_fine
    assert door.who_am_i() == email


def test_a_name_comes_back_as_it_was_typed(app: APIFlask) -> None:
    door, email = JsonDoor(app), new_address()
    door.sign_up(email, name="Zoë 🦀 Ωmega")
    door.verify(door.mailed_token(email))
    assert door.client.get(f"{API}/me").get_json()["name"] == "Zoë 🦀 Ωmega"


def test_capitals_make_no_other_person(app: APIFlask) -> None:
    door, email = JsonDoor(app), new_address()
    assert door.sign_up(email.upper().replace("@EXAMPLE.COM", "@Example.COM")).is_fine
    assert door.verify(door.mailed_token(email)).is_fine
    assert count(app, email) == 1
    assert door.sign_in(email.upper()).is_fine
    assert door.who_am_i() == email


def test_accents_make_another_person(app: APIFlask) -> None:
    door, name = JsonDoor(app), new_address()
    plain, accented = f"e{name}", f"é{name}"
    door.make_account(plain)
    door.make_account(accented, "another horse 18")
    assert door.sign_in(accented, PASSWORD).status == 401
    assert door.sign_in(accented, "another horse 18").is_fine
    assert door.who_am_i() == accented
    assert door.sign_in(plain, PASSWORD).is_fine
    assert door.who_am_i() == plain


def test_one_accent_spelt_in_two_ways_is_one_person(app: APIFlask) -> None:
    """é is one character or two, and keyboards differ (Unicode's NFC and NFD)."""
    door, name = JsonDoor(app), new_address()
    door.make_account(f"\u00e9{name}")
    assert door.sign_in(f"e\u0301{name}").is_fine


def test_rotated_at_is_kept_to_the_microsecond(app: APIFlask) -> None:
    tokens = newcomer(app)
    moment = datetime(2026, 1, 2, 3, 4, 5, 123457, tzinfo=UTC)
    with app.app_context():
        found = read(lambda: parts_of(app).sessions.find(tokens.session_id))
        assert found is not None
        after = replace(found.session, generation=2, rotated_at=moment)
        assert change(lambda: parts_of(app).sessions.advance(found.session, after))
        again = read(lambda: parts_of(app).sessions.find(tokens.session_id))
        assert again is not None
        assert again.session.rotated_at == moment


def test_the_clock_of_the_store_is_right_and_fine(app: APIFlask) -> None:
    tokens = newcomer(app)
    with app.app_context():
        found = [read(lambda: parts_of(app).sessions.find(tokens.session_id)) for _ in range(5)]
    moments = [each.now for each in found if each]
    assert len(moments) == 5
    assert all(abs((moment - datetime.now(UTC)).total_seconds()) < 5 for moment in moments)
    assert any(moment.microsecond % 1000 for moment in moments)


def test_a_swap_on_an_outdated_reading_changes_nothing(app: APIFlask) -> None:
    """Whoever read before somebody else rotated, recovered or ended it has to read again."""
    tokens = newcomer(app)
    sessions = parts_of(app).sessions
    with app.app_context():
        found = read(lambda: sessions.find(tokens.session_id))
        assert found is not None
        first = found.session
        second = replace(first, generation=2, parent=1)
        recovered = replace(second, generation=3, parent=1)
        rotated = replace(second, generation=3, parent=2)
        assert change(lambda: sessions.advance(first, second))
        assert not change(lambda: sessions.advance(first, second))
        assert change(lambda: sessions.advance(second, recovered))
        assert not change(lambda: sessions.advance(rotated, replace(rotated, generation=4)))
        transact(lambda: sessions.end(first.id, "signed_out"))
        assert not change(lambda: sessions.advance(recovered, replace(rotated, generation=4)))
    assert (row := stored_session(app, first.id)).generation == 3
    assert row.ended_at is not None


def test_eight_sign_ups_at_once_make_one_account(app: APIFlask) -> None:
    email = new_address()

    def sign_up(number: int) -> tuple[int, str]:
        answer = JsonDoor(app).sign_up(email, f"correct horse {number}")
        return answer.status, answer.text

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(sign_up, range(8)))
    assert len(answers) == 1
    assert answers.pop()[0] == 202
    assert count(app, email) == 1


def test_of_eight_sign_ups_at_once_one_link_works_and_its_password(app: APIFlask) -> None:
    """The link and the password are of one and the same sign-up: the one that came last."""
    email = new_address()
    browsers = [JsonDoor(app) for _ in range(8)]

    def sign_up(number: int) -> None:
        browsers[number].sign_up(email, f"correct horse {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sign_up, range(8)))
    links = [token_in(find_link(mail.text)) for mail in browsers[0].mails(email)]
    assert len(links) == 8
    with app.app_context():
        query = select(OneTimeTokenRow).join(UserRow).where(UserRow.email == email)
        assert len(db.session.scalars(query).all()) == 1

    outsider = JsonDoor(app)
    assert [outsider.verify(token).is_fine for token in links].count(True) == 1
    signed_in = [
        number for number in range(8) if outsider.sign_in(email, f"correct horse {number}").is_fine
    ]
    assert len(signed_in) == 1


def test_sixteen_tries_use_a_link_once(app: APIFlask) -> None:
    door, email = JsonDoor(app), new_address()
    door.sign_up(email)
    token = door.mailed_token(email)
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: JsonDoor(app).verify(token).status, range(16)))
    assert sorted(statuses) == [204] + [400] * 15


def test_sixteen_sign_ins_at_once_are_sixteen_sessions(app: APIFlask) -> None:
    email = new_address()
    JsonDoor(app).make_account(email)
    with ThreadPoolExecutor(16) as pool:
        found = {tokens.session_id for tokens in pool.map(lambda _: sign_in(app, email), range(16))}
    assert len(found) == 16


def test_times_in_tokens_are_those_of_the_session(app: APIFlask) -> None:
    tokens = newcomer(app)
    row = stored_session(app, tokens.session_id)
    assert abs(claims_of(tokens.refresh)["exp"] - row.expires_at.timestamp()) <= 1
    assert abs(claims_of(tokens.access)["auth_time"] - row.authenticated_at.timestamp()) <= 1
    me = app.test_client().get(f"{API}/me", headers=bearer(tokens.access)).get_json()
    created_at = datetime.fromisoformat(me["created_at"])
    assert abs((created_at - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize("server", SERVERS)
def test_a_database_without_tables_is_503(make_app: MakeApp, server: str) -> None:
    skip_without(server)
    with database_on(server) as url:
        client = make_app(database_url=url).test_client()
        body = {"email": "alice@example.com", "password": PASSWORD}
        assert client.get("/readyz").status_code == 503
        assert client.post("/api/v1/auth/login", json=body).status_code == 503
