"""Housekeeping about accounts and mail, from the shell."""

from datetime import timedelta
from functools import partial

import pytest
from apiflask import APIFlask

from tests.account_kit import ALICE, BOB, AccountJson, account_of, in_store, signed_in
from tests.support import environment_of, free_port, run_command
from webapp import clock
from webapp.services.ids import new_id
from webapp.stores import deletions, outbox, users
from webapp.stores.outbox import Message


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """The environment of an operator's shell, beside the application of the test."""
    return environment_of(DATABASE_URL=database_url)


def test_accounts_prune_erases_after_14_days(app: APIFlask, environment: dict[str, str]) -> None:
    for email, days in ((ALICE, 15), (BOB, 13)):
        AccountJson(app).make_account(email)
        user_id, deleted_at = account_of(app, email).id, clock.now() - timedelta(days=days)
        in_store(app, partial(deletions.set_deleted, user_id, deleted_at))
    for expected in ("1 accounts erased.\n", "0 accounts erased.\n"):
        assert run_command("accounts", "prune", environment=environment).stdout == expected
    assert in_store(app, lambda: users.find_by_email(ALICE)) is None
    assert account_of(app, BOB)


def test_a_new_site_has_no_accounts(environment: dict[str, str]) -> None:
    assert run_command("user", "list", environment=environment).stdout == ""


def test_mail_list_shows_the_newest_mail(app: APIFlask, environment: dict[str, str]) -> None:
    signed_in(AccountJson(app))
    lines = run_command("mail", "list", environment=environment).stdout.splitlines()
    assert len(lines) == 2
    assert "New sign-in to your Latchkey account  kept" in lines[0]
    assert all(ALICE in line for line in lines)


def test_mail_list_shows_no_link(app: APIFlask, environment: dict[str, str]) -> None:
    signed_in(AccountJson(app)).forgot(ALICE)
    assert "token=" not in run_command("mail", "list", environment=environment).stdout


def test_mail_list_failed_shows_what_the_server_said(
    app: APIFlask, environment: dict[str, str]
) -> None:
    now = clock.now()
    message = Message(
        new_id(), "test", new_id(), ALICE, "A subject", "", "", now, attempts=0, due_at=now
    )
    in_store(app, partial(outbox.add, message))
    shell = environment | {"SMTP_URL": f"smtp://localhost:{free_port()}"}
    run_command("mail", "deliver", environment=shell)
    failed = run_command("mail", "list", "--failed", environment=shell).stdout.splitlines()
    assert f"{ALICE}  A subject  waiting, 1 tries" in failed[0]
    assert "refused" in failed[1]


def test_mail_list_failed_leaves_out_what_did_not_fail(
    app: APIFlask, environment: dict[str, str]
) -> None:
    signed_in(AccountJson(app))
    assert run_command("mail", "list", "--failed", environment=environment).stdout == ""
