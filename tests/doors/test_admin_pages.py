"""The admin pages: what they show, ask and do, and how the trail names who did it."""

import pytest
from apiflask import APIFlask

from tests.account_kit import account_of, mails
from tests.admin_kit import ADMIN, OTHER, USER, browser, caller, change, make
from tests.doors.probes import audited, dump, execute, query
from tests.doors.test_statements import statements
from tests.doors_kit import PagesDoor
from tests.support import csrf_token_in


@pytest.fixture
def door(app: APIFlask) -> PagesDoor:
    """An admin's browser; there are a user and another admin, too."""
    make(app, ADMIN, "admin", name="Ada")
    make(app, USER, name="Ursula <b>")
    make(app, OTHER, "admin", name="Otto")
    return browser(app, ADMIN)


def path_of(app: APIFlask, email: str = USER) -> str:
    return f"/admin/users/{account_of(app, email).id}"


def test_the_list_shows_everybody_and_finds_some(app: APIFlask, door: PagesDoor) -> None:
    change(app, USER, is_disabled=True)
    page = door.client.get("/admin").text
    assert all(email in page for email in (ADMIN, USER, OTHER))
    assert "disabled" in page
    assert "Ursula &lt;b&gt;" in page
    found = door.client.get("/admin?q=URS").text
    assert USER in found
    assert OTHER not in found


def test_the_list_goes_on(app: APIFlask, door: PagesDoor) -> None:
    for number in range(60):
        make(app, f"more{number:02}@example.com", password=None)
    first = door.client.get("/admin?q=more").text
    assert "more49@example.com" in first
    assert "more50@example.com" not in first
    onward = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = door.client.get(onward).text
    assert "more49@example.com" not in second
    assert "more59@example.com" in second


@pytest.mark.parametrize("query_", ["", "?q=user", "?q=nobody"])
def test_the_list_takes_no_more_than_three_statements(
    app: APIFlask, door: PagesDoor, query_: str
) -> None:
    door.client.get("/admin")
    with statements(app) as found:
        assert door.client.get("/admin" + query_).status_code == 200
    assert len(found) <= 3, found


def test_an_accounts_page_shows_sessions_and_events(app: APIFlask, door: PagesDoor) -> None:
    browser(app, USER)
    page = door.client.get(path_of(app)).text
    assert "Signed in" in page
    assert "127.0.0.1" in page
    assert "/sessions/" in page


def test_an_action_asks_first_and_a_look_changes_nothing(app: APIFlask, door: PagesDoor) -> None:
    before = dump(app)
    for action in ("disable", "enable", "delete", "reset-password", "end-sessions", "edit"):
        page = door.client.get(f"{path_of(app)}/{action}")
        assert page.status_code == 200
        assert USER in page.text
    assert dump(app) == before


def test_disabling_and_enabling(app: APIFlask, door: PagesDoor) -> None:
    user = caller(app, USER)
    assert door.submit(f"{path_of(app)}/disable").is_fine
    assert account_of(app, USER).is_disabled
    assert user.ask("GET", "/auth/me").status_code == 401
    assert door.submit(f"{path_of(app)}/enable").is_fine
    assert not account_of(app, USER).is_disabled


def test_roles_and_name(app: APIFlask, door: PagesDoor) -> None:
    page = f"{path_of(app)}/edit"
    assert door.submit(page, name="Ulla", roles="admin").is_fine
    assert (account_of(app, USER).name, account_of(app, USER).roles) == ("Ulla", ("user", "admin"))
    assert door.submit(page, name="Ulla").is_fine
    assert account_of(app, USER).roles == ("user",)
    refused = door.submit(page, name="Uma", roles="emperor")
    assert (refused.status, refused.fields) == (422, frozenset({"roles"}))
    assert 'value="Uma"' in refused.text
    assert account_of(app, USER).name == "Ulla"


def test_deleting_resetting_and_signing_out(app: APIFlask, door: PagesDoor) -> None:
    user = caller(app, USER)
    assert door.submit(f"{path_of(app)}/reset-password").is_fine
    assert len(mails(app, USER, "reset_password")) == 1
    assert door.submit(f"{path_of(app)}/end-sessions").is_fine
    assert user.ask("GET", "/auth/me").status_code == 401
    assert door.submit(f"{path_of(app)}/delete").is_fine
    assert account_of(app, USER).is_deleted
    assert door.submit(f"{path_of(app)}/reset-password").status == 409


def test_one_session_is_ended_and_the_others_go_on(app: APIFlask, door: PagesDoor) -> None:
    one, other = caller(app, USER), caller(app, USER)
    sid = next(s["id"] for s in one.get("/auth/sessions")["data"] if s["current"])
    page = f"{path_of(app)}/sessions/{sid}/end"
    assert door.submit(page).response.location == f"{path_of(app)}?notice=session-ended"
    assert one.ask("GET", "/auth/me").status_code == 401
    assert other.ask("GET", "/auth/me").status_code == 200
    assert door.client.get(page).status_code == 303


def test_a_session_is_not_ended_by_the_address_of_another(app: APIFlask, door: PagesDoor) -> None:
    theirs = caller(app, OTHER)
    sid = theirs.get("/auth/sessions")["data"][0]["id"]
    token = csrf_token_in(door.client.get(f"{path_of(app)}/disable").text)
    door.client.post(f"{path_of(app)}/sessions/{sid}/end", data={"csrf_token": token})
    assert theirs.ask("GET", "/auth/me").status_code == 200


def test_making_an_account(app: APIFlask, door: PagesDoor) -> None:
    answer = door.submit("/admin/users/new", email="new@example.com", name="Nina")
    assert answer.response.location == f"{path_of(app, 'new@example.com')}?notice=created"
    assert account_of(app, "new@example.com").password_hash is None
    assert len(mails(app, "new@example.com", "account_made")) == 1
    taken = door.submit("/admin/users/new", email=USER)
    assert (taken.status, taken.fields) == (409, frozenset({"email"}))


def test_the_last_admin_is_told(app: APIFlask, door: PagesDoor) -> None:
    change(app, OTHER, roles=())
    before = audited(app)
    for action in ("disable", "delete"):
        answer = door.submit(f"{path_of(app, ADMIN)}/{action}")
        assert answer.status == 409
        assert "last administrator" in answer.text
    assert door.submit(f"{path_of(app, ADMIN)}/edit", name="Ada").status == 409
    assert audited(app) == before


def test_every_action_is_in_the_trail_with_who_did_it(app: APIFlask, door: PagesDoor) -> None:
    sid = caller(app, USER).get("/auth/sessions")["data"][0]["id"]
    caller(app, USER)
    door.submit(f"{path_of(app)}/sessions/{sid}/end")
    door.submit(f"{path_of(app)}/end-sessions")
    door.submit(f"{path_of(app)}/edit", name="Ulla", roles="admin")
    for action in ("reset-password", "disable", "enable", "delete"):
        door.submit(f"{path_of(app)}/{action}")
    found = query(
        app,
        "SELECT event FROM audit_events WHERE user_id = :user AND actor_id = :actor",
        user=account_of(app, USER).id,
        actor=account_of(app, ADMIN).id,
    )
    assert {event for (event,) in found} == {
        *("user_session_ended", "user_sessions_ended", "renamed", "roles_changed"),
        *("user_reset_started", "user_disabled", "user_enabled", "user_deleted"),
    }
    log = door.client.get("/admin/audit?event=user_disabled").text
    assert "User disabled" in log.partition("</form>")[2]
    assert f'By <a href="{path_of(app, ADMIN)}">{ADMIN}' in log


def events_on(door: PagesDoor, query_: str) -> int:
    page = door.client.get("/admin/audit" + query_)
    assert page.status_code == 200
    return page.text.count('<li class="row')


def test_the_log_is_filtered(app: APIFlask, door: PagesDoor) -> None:
    for _ in range(3):
        change(app, USER, is_disabled=True)
        change(app, USER, is_disabled=False)
    door.submit(f"{path_of(app)}/disable")
    assert events_on(door, "?event=user_disabled") == 4
    assert events_on(door, f"?person={USER.upper()}") == 8
    assert events_on(door, f"?person={account_of(app, USER).id}") == 8
    assert events_on(door, f"?person={ADMIN}&event=user_disabled") == 1
    assert events_on(door, "?person=nobody@example.com") == 0
    execute(app, "UPDATE audit_events SET at = '2020-01-31 23:59:59.999999' WHERE event = "
            "'user_enabled'")  # fmt: skip
    assert events_on(door, "?first_day=2020-01-31&last_day=2020-01-31") == 3
    assert events_on(door, "?first_day=2020-02-01&event=user_enabled") == 0
    assert events_on(door, "?last_day=2020-01-30") == 0
    assert door.client.get("/admin/audit?first_day=yesterday").status_code == 422
    assert door.client.get("/admin/audit?cursor=made-up").status_code == 422
    for odd in ("event=%00", "person=%00", "person=é@é", "person=é", "cursor=WyIxIiwieCJd"):
        assert door.client.get(f"/admin/audit?{odd}").status_code in (200, 422)


def test_the_log_goes_on_where_a_page_ends(app: APIFlask, door: PagesDoor) -> None:
    for _ in range(30):
        change(app, USER, is_disabled=True)
        change(app, USER, is_disabled=False)
    execute(app, "UPDATE audit_events SET at = '2020-01-31 12:00:00.000000'")
    first = door.client.get(f"/admin/audit?person={USER}").text
    assert first.count('<li class="row') == 50
    onward = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert door.client.get(onward).text.count('<li class="row') == 11


def give_up(app: APIFlask) -> str:
    """Have the newest message be given up; return its id."""
    message_id = str(query(app, "SELECT max(id) FROM outbox")[0][0])
    execute(app, "UPDATE outbox SET last_error = '550 no', attempts = 11, due_at = NULL "
            "WHERE id = :id", id=message_id)  # fmt: skip
    return message_id


def test_mail_that_was_given_up_is_tried_again(app: APIFlask, door: PagesDoor) -> None:
    make(app, "new@example.com", password=None)
    assert "Nothing has failed" in door.client.get("/admin/outbox?failed=1").text
    message_id = give_up(app)
    page = door.client.get("/admin/outbox?failed=1").text
    assert "550 no" in page
    assert "given up" in page
    retry = f"/admin/outbox/{message_id}/retry"
    assert door.submit(retry).response.location == "/admin/outbox?notice=retried"
    due = query(app, "SELECT due_at IS NULL, attempts FROM outbox WHERE id = :id", id=message_id)
    assert due == [(0, 0)]
    assert audited(app)[-1] == "mail_retried"
    assert door.submit(retry).status == 404


def test_no_page_shows_a_password_hash_or_a_link(app: APIFlask, door: PagesDoor) -> None:
    make(app, "new@example.com", password=None)
    hash_ = account_of(app, USER).password_hash or "none"
    pages = ("/admin", path_of(app), "/admin/audit", "/admin/outbox")
    text = "".join(door.client.get(page).text for page in pages)
    assert hash_ not in text
    assert "token=" not in text
