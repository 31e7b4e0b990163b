"""Sixteen who use the same link at once: exactly one wins, whatever the link and the database."""

import threading
from collections import Counter
from collections.abc import Callable

from apiflask import APIFlask

from tests.account_kit import AccountJson, account_of, mailed, move, reset_link, signed_in
from tests.conftest import MakeApp
from webapp.errors import LinkInvalid
from webapp.features.change_email import flow as change_email
from webapp.features.devices import flow as devices
from webapp.features.reset_password import flow as reset_password
from webapp.features.verify_email import flow as verify_email
from webapp.services.client import Client
from webapp.services.parts import parts
from webapp.stores import audit
from webapp.stores.transactions import read

AT_ONCE = 16
CLIENT = Client(ip="127.0.0.1", user_agent="")
Use = Callable[[], object]


def verify(door: AccountJson, email: str) -> Use:
    door.sign_up(email)
    token = mailed(door.app, email, "verify_email")
    return lambda: verify_email.confirm(token, CLIENT)


def disown_account(door: AccountJson, email: str) -> Use:
    door.sign_up(email)
    token = mailed(door.app, email, "verify_email")
    return lambda: verify_email.disown(token, CLIENT)


def reset(door: AccountJson, email: str) -> Use:
    door.make_account(email)
    token = reset_link(door, email)
    return lambda: reset_password.reset(token, "another horse 18", CLIENT)


def change(door: AccountJson, email: str) -> Use:
    signed_in(door, email).change_email("new-" + email)
    token = mailed(door.app, "new-" + email, "email_change")
    return lambda: verify_email.confirm(token, CLIENT)


def undo(door: AccountJson, email: str) -> Use:
    token = move(signed_in(door, email), "new-" + email, old=email)
    return lambda: change_email.undo(token, CLIENT)


def not_me(door: AccountJson, email: str) -> Use:
    signed_in(door, email)
    token = mailed(door.app, email, "new_sign_in")
    return lambda: devices.disown(token, CLIENT)


# Each kind of link, and the event that tells of its use.
KINDS: dict[str, tuple[Callable[[AccountJson, str], Use], str]] = {
    "verify": (verify, "email_verified"),
    "disown": (disown_account, "account_disowned"),
    "reset": (reset, "password_reset"),
    "change": (change, "email_changed"),
    "undo": (undo, "email_change_undone"),
    "not-me": (not_me, "session_disowned"),
}


def use_at_once(app: APIFlask, use: Use) -> Counter[str]:
    """Have sixteen use a link at the same moment; return how often it went how."""
    start = threading.Barrier(AT_ONCE)
    outcomes: list[str] = []

    def attempt() -> None:
        with app.app_context():
            start.wait(10)
            try:
                use()
            except LinkInvalid:
                outcomes.append("refused")
            except Exception as error:
                outcomes.append(repr(error))
            else:
                outcomes.append("used")

    threads = [threading.Thread(target=attempt) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(outcomes)


def test_exactly_one_wins_whatever_the_link(every_database_url: str, make_app: MakeApp) -> None:
    app = make_app(database_url=every_database_url)
    for kind, (prepare, event) in KINDS.items():
        email = f"{kind}@example.com"
        use = prepare(AccountJson(app), email)
        user_id = account_of(app, "new-" + email if kind == "undo" else email).id
        outcomes = use_at_once(app, use)
        assert outcomes == {"used": 1, "refused": AT_ONCE - 1}, kind
        with app.app_context():
            events = [one.event for one in read(lambda: audit.latest_of(user_id, 100))]  # noqa: B023
        assert events.count(event) == 1, kind


def test_a_reset_and_an_undo_at_once_leave_no_session(
    every_database_url: str, make_app: MakeApp
) -> None:
    app = make_app(database_url=every_database_url)
    email, new = "alice@example.com", "new-alice@example.com"
    door = signed_in(AccountJson(app), email)
    undo_token = move(door, new, old=email)
    reset_token = reset_link(door, new)
    user_id = account_of(app, new).id
    both: list[Use] = [
        lambda: change_email.undo(undo_token, CLIENT),
        lambda: reset_password.reset(reset_token, "another horse 18", CLIENT),
    ]
    uses = iter(both * (AT_ONCE // 2))
    turn = threading.Lock()

    def use_either() -> None:
        with turn:
            use = next(uses)
        use()

    outcomes = use_at_once(app, use_either)
    assert outcomes.keys() <= {"used", "refused"}
    # Whichever came first, the owner has the address back and nobody is signed in.
    assert account_of(app, email).id == user_id
    with app.app_context():
        living = [one for one in read(lambda: parts().sessions.all_of(user_id)) if not one.ended_at]
    assert living == []
