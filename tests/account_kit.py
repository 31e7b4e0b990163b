"""What the day-to-day of an account is tested with: the doors' further handles, and the mail."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import time_machine
from apiflask import APIFlask

from tests.doors_kit import Answer, Door, JsonDoor, PagesDoor, answer_of_page
from tests.support import PASSWORD, csrf_token_in, token_in
from webapp import clock
from webapp.services.ids import new_id
from webapp.stores import outbox, users
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account

ALICE, BOB = "alice@example.com", "bob@example.com"
NEW_PASSWORD = "another horse 18"

T = TypeVar("T")
D = TypeVar("D", bound=Door)


class AccountJson(JsonDoor):
    """The JSON door to one's own account."""

    def forgot(self, email: str) -> Answer:
        return self.post("password/forgot", {"email": email})

    def reset(self, token: str, password: str = NEW_PASSWORD) -> Answer:
        return self.post("password/reset", {"token": token, "password": password})

    def change_password(self, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
        return self.post("password/change", {"current_password": current, "new_password": new})

    def change_email(self, email: str, password: str = PASSWORD) -> Answer:
        return self.post("email/change", {"email": email, "password": password})

    def reauthenticate(self, password: str = PASSWORD) -> Answer:
        return self.post("reauthenticate", {"password": password})

    def end_session(self, session_id: str) -> Answer:
        return self.post(f"sessions/{session_id}", method="DELETE")

    def end_others(self) -> Answer:
        return self.post("sessions", method="DELETE")

    def delete(self, password: str = PASSWORD) -> Answer:
        return self.post("me", {"password": password}, method="DELETE")


class AccountPages(PagesDoor):
    """The pages about one's own account."""

    def forgot(self, email: str) -> Answer:
        return self.submit("/forgot-password", email=email)

    def reset(self, token: str, password: str = NEW_PASSWORD) -> Answer:
        return self.press("/reset-password", token, password=password)

    def change_password(self, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
        page = "/account/security/password"
        return self.submit(page, current_password=current, new_password=new)

    def change_email(self, email: str) -> Answer:
        return self.submit("/account/security/email", email=email)

    def reauthenticate(self, password: str = PASSWORD) -> Answer:
        return self.submit("/reauthenticate", present_password=password)

    def end_session(self, session_id: str) -> Answer:
        return self.submit("/account/devices", f"/account/devices/{session_id}/end")

    def end_others(self) -> Answer:
        return self.submit("/account/devices", "/account/devices/end-others")

    def delete(self) -> Answer:
        return self.submit("/account/delete")

    def press(self, page: str, token: str, **fields: str) -> Answer:
        """Press the button on a link's page, be it that the page itself was never shown."""
        form_token = csrf_token_in(self.client.get("/forgot-password").text)
        data = fields | {"token": token, "csrf_token": form_token}
        return answer_of_page(self.client.post(page, data=data))

    def open(self, page: str, token: str) -> Answer:
        """Open a link, as its reader does, and as a mail scanner does."""
        return answer_of_page(self.client.get(page, query_string={"token": token}))


AccountDoor = AccountJson | AccountPages


def signed_in(door: D, email: str = ALICE) -> D:
    """Have somebody sign up, prove the address and sign in; return the same door."""
    door.make_account(email)
    assert door.sign_in(email).is_fine
    return door


def another(door: D, user_agent: str = "") -> D:
    """Return the same door, with an empty browser in front of it."""
    made = type(door)(door.app)
    if user_agent:
        made.client.environ_base["HTTP_USER_AGENT"] = user_agent
    return made


def mails(app: APIFlask, email: str, template: str) -> list[outbox.Message]:
    """Return the mail of one kind to somebody, newest first."""
    with app.app_context():
        found = read(lambda: outbox.latest(500))
    return [mail for mail in found if (mail.recipient, mail.template) == (email, template)]


def mailed(app: APIFlask, email: str, template: str) -> str:
    """Return the token in the newest mail of one kind to somebody."""
    lines = mails(app, email, template)[0].text.splitlines()
    return token_in(next(line for line in lines if "?token=" in line))


def reset_link(door: AccountDoor, email: str = ALICE) -> str:
    """Ask for a link to a new password; return its token."""
    assert door.forgot(email).is_fine
    return mailed(door.app, email, "reset_password")


def move(door: AccountDoor, email: str, old: str = ALICE) -> str:
    """Move the account of whoever is signed in to another address; return the undo token."""
    assert door.change_email(email).is_fine
    assert door.verify(mailed(door.app, email, "email_change")).is_fine
    # Its access token says the old address, and is refused; a client refreshes by itself.
    assert door.refresh().is_fine
    return mailed(door.app, old, "email_changed")


def in_store(app: APIFlask, work: Callable[[], T]) -> T:
    """Run what writes to the store, as one transaction."""
    with app.app_context():
        return transact(work)


def account_of(app: APIFlask, email: str = ALICE) -> Account:
    """Return somebody's account as it is kept."""
    account = in_store(app, lambda: users.find_by_email(email))
    assert account
    return account


def disable(app: APIFlask, email: str = ALICE) -> None:
    """Shut somebody's account."""
    user_id = account_of(app, email).id
    in_store(app, lambda: users.set_disabled(user_id, clock.now()))


def later(**how_long: float) -> time_machine.travel:
    """Travel ahead by so many `minutes`, `hours` or `days`."""
    return time_machine.travel(clock.now() + timedelta(**how_long))


def add_unproved(app: APIFlask, email: str) -> str:
    """Put an account in whose address nobody has proved; return its id."""
    now = clock.now()
    account = Account(
        id=new_id(),
        email=email,
        email_verified_at=None,
        name="",
        password_hash=None,
        created_at=now,
        devices_since=now,
    )
    in_store(app, lambda: users.add(account))
    return account.id
