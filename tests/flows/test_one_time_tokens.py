"""One-time tokens without HTTP: whatever they will be for, each is good once."""

from collections import Counter
from threading import Barrier, Thread

import pytest
from apiflask import APIFlask

from tests.database_kit import on_every_database
from webapp.errors import LinkInvalid
from webapp.features.users import flow as users_flow
from webapp.services import one_time_tokens
from webapp.services.client import Client
from webapp.services.one_time_tokens import Purpose
from webapp.stores.transactions import transact

pytestmark = on_every_database

SHELL = Client(ip="", user_agent="a test")
PURPOSE = Purpose.VERIFY_EMAIL


@pytest.fixture
def token(app: APIFlask) -> str:
    """A token of somebody's."""
    with app.app_context():
        command = users_flow.NewUser("alice@example.com", "correct horse 17", is_verified=True)
        account = users_flow.create_user(command, SHELL)
        return transact(lambda: one_time_tokens.issue(PURPOSE, account.id))


def use(token: str) -> bool:
    """Try to use a token up."""
    try:
        transact(lambda: one_time_tokens.use(token, PURPOSE))
    except LinkInvalid:
        return False
    return True


def test_a_token_is_good_once(app: APIFlask, token: str) -> None:
    with app.app_context():
        assert [use(token) for _ in range(3)] == [True, False, False]


def test_looking_uses_nothing_up(app: APIFlask, token: str) -> None:
    with app.app_context():
        for _ in range(3):
            transact(lambda: one_time_tokens.peek(token, PURPOSE))
        assert use(token)
        with pytest.raises(LinkInvalid):
            transact(lambda: one_time_tokens.peek(token, PURPOSE))


def test_a_use_that_is_rolled_back_was_none(app: APIFlask, token: str) -> None:
    def use_and_fail() -> None:
        one_time_tokens.use(token, PURPOSE)
        raise LinkInvalid

    with app.app_context():
        with pytest.raises(LinkInvalid):
            transact(use_and_fail)
        assert use(token)


def test_of_sixteen_who_try_at_once_one_gets_it(app: APIFlask, token: str) -> None:
    start, found = Barrier(16), Counter[bool]()

    def try_it() -> None:
        with app.app_context():
            start.wait()
            found[use(token)] += 1

    threads = [Thread(target=try_it) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {True: 1, False: 15}
