"""What the GraphQL door says when something is in the way: a limit, a store, a mistake of ours."""

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from tests.conftest import Closing, MakeApp
from tests.doors.probes import ALICE, create_user
from tests.doors_kit import JsonDoor
from tests.graphql_kit import LOGIN, ME, REFRESH, GraphqlDoor, code_of
from tests.support import PASSWORD, make_settings
from webapp import OwnParts
from webapp.extensions import db
from webapp.factory import create_app
from webapp.services.stored_users import StoredUsers
from webapp.services.throttle import SIGN_UPS
from webapp.stores.users import Account


@pytest.fixture
def door(app: APIFlask) -> GraphqlDoor:
    """The GraphQL door, and Alice has an account."""
    create_user(app)
    return GraphqlDoor(app)


@pytest.fixture
def signed_in(door: GraphqlDoor) -> GraphqlDoor:
    """Alice, signed in."""
    assert door.sign_in(ALICE).is_fine
    return door


def test_guesses_count_together_with_those_at_the_other_doors(make_app: MakeApp) -> None:
    app = make_app(graphql=True, rate_limits=True)
    create_user(app)
    door, other = GraphqlDoor(app), JsonDoor(app)
    for _ in range(5):
        assert door.sign_in(ALICE, "a wrong password").status == 401
        assert other.sign_in(ALICE, "a wrong password").status == 401
    response = door.ask(LOGIN, email=ALICE, password=PASSWORD)
    assert (response.status_code, code_of(response)) == (429, "too_many_attempts")
    assert 880 <= int(response.headers["Retry-After"]) <= 900
    assert response.get_json()["data"] is None
    assert other.sign_in(ALICE).status == 429


def test_sign_ups_are_limited(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SIGN_UPS, "amount", 3)
    door = GraphqlDoor(make_app(graphql=True, rate_limits=True))
    found = [door.sign_up(f"new{number}@example.com").status for number in range(4)]
    assert found == [201, 201, 201, 429]


def test_a_database_that_is_down_is_503(app: APIFlask, signed_in: GraphqlDoor) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE users RENAME TO elsewhere"))
    for document, token in ((ME, signed_in.access_token), (REFRESH, signed_in.refresh_token)):
        response = signed_in.ask(document, token)
        assert (response.status_code, code_of(response)) == (503, "temporarily_unavailable")
        assert response.headers["Retry-After"]
        assert "elsewhere" not in response.text
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO users"))
    assert signed_in.refresh().is_fine


class Mistaken(StoredUsers):
    """A look-up with a mistake in it."""

    def by_subject(self, user_id: str, stored: Account | None = None) -> Account | None:
        raise LookupError("what only we are to read")


def test_our_own_mistake_is_logged_and_not_shown(
    database_url: str, closing: Closing, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_settings(database_url, graphql=True)
    app = closing(create_app(settings, OwnParts(users=Mistaken())))
    create_user(app)
    door = GraphqlDoor(app)
    assert door.sign_in(ALICE).is_fine
    response = door.ask(ME, door.access_token)
    (error,) = response.get_json()["errors"]
    assert (response.status_code, code_of(response)) == (500, "internal_error")
    assert "what only we" not in response.text
    assert error["extensions"]["request_id"] == response.headers["X-Request-Id"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert error["extensions"]["request_id"] in record.getMessage()
    assert record.exc_info


def test_nothing_secret_is_logged(door: GraphqlDoor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    door.sign_in(ALICE)
    door.refresh()
    door.ask(LOGIN, email=1, password=PASSWORD)
    door.ask(f'mutation {{ login(email: "{ALICE}", password: "{PASSWORD}") {{ nope }} }}')
    for secret in (PASSWORD, door.access_token, door.refresh_token):
        assert secret
        assert secret not in caplog.text
