"""Every mail about an account: its subject, and its link in the text and in the HTML."""

import re
from collections.abc import Callable
from html import unescape

import pytest

from config import ROOT
from tests.account_kit import (
    ALICE,
    BOB,
    AccountJson,
    AccountPages,
    mails,
    move,
    reset_link,
    signed_in,
)
from tests.admin_kit import make
from tests.conftest import MakeApp
from webapp.features.connections import flow as connections
from webapp.features.social.address import ask_for_proof
from webapp.features.social.identity import Identity
from webapp.services.access import authenticate
from webapp.services.client import Client

SHELL = Client(ip="", user_agent="a test")
GOOGLE = Identity("google", "1", "g@example.com", True, "Gina")
NEW = "alice@new.example"
NOT_YOU = "This was not you?"
Act = Callable[[AccountJson], object]


def _undo(door: AccountJson) -> None:
    AccountPages(door.app).press("/undo-email-change", move(door, NEW))


def _delete_and_sign_up(door: AccountJson) -> None:
    door.delete()
    AccountJson(door.app).sign_up(ALICE)


def _ask_for_bobs(door: AccountJson) -> None:
    AccountJson(door.app).make_account(BOB)
    door.change_email(BOB)


def _have_one_made(door: AccountJson) -> None:
    make(door.app, BOB, password=None)


def _link(door: AccountJson) -> None:
    """Connect Google, as whoever came from there and is signed in does."""
    encoded = door.cookie("access_token")
    with door.app.app_context():
        connections.link(GOOGLE, authenticate(encoded), SHELL)


def _unlink(door: AccountJson) -> None:
    _link(door)
    door.post("identities/google", method="DELETE")


def _ask_for_proof(email: str) -> Act:
    def act(door: AccountJson) -> None:
        with door.app.app_context():
            ask_for_proof(GOOGLE, email, "a browser's secret", SHELL)

    return act


# What brings each mail about, whom it goes to, and the page that its link opens.
MAILS: dict[str, tuple[Act, str, str]] = {
    "reset_password": (reset_link, ALICE, "/reset-password?token="),
    "account_made": (_have_one_made, BOB, "/reset-password?token="),
    "password_changed": (lambda door: door.change_password(), ALICE, "/forgot-password"),
    "email_change": (lambda door: door.change_email(NEW), NEW, "/verify-email?token="),
    "email_change_requested": (lambda door: door.change_email(NEW), ALICE, "/account/security"),
    "email_change_taken": (_ask_for_bobs, BOB, "/login"),
    "email_changed": (lambda door: move(door, NEW), ALICE, "/undo-email-change?token="),
    "email_change_undone": (_undo, ALICE, "/forgot-password"),
    "new_sign_in": (lambda door: AccountJson(door.app).sign_in(ALICE), ALICE, "/not-me?token="),
    "identity_linked": (_link, ALICE, "/account/connections"),
    "identity_unlinked": (_unlink, ALICE, "/forgot-password"),
    "prove_address": (_ask_for_proof(BOB), BOB, "/auth/address/confirm?token="),
    "address_has_account": (_ask_for_proof(ALICE), ALICE, "/login"),
    "account_deleted": (lambda door: door.delete(), ALICE, "/login"),
    "account_waiting": (_delete_and_sign_up, ALICE, "/login"),
}
# Those that the sign-up and the refresh rule send have tests of their own.
OTHERS = {"layout", "verify_email", "sign_up_taken", "refresh_reused"}


def test_every_mail_is_here() -> None:
    pairs = {path.stem for path in (ROOT / "templates/mail").glob("[!_]*")}
    assert pairs == set(MAILS) | OTHERS


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_can_be_read_in_both_forms(make_app: MakeApp, template: str) -> None:
    app = make_app(fake_providers=("google",))
    act, recipient, page = MAILS[template]
    act(signed_in(AccountJson(app)))
    mail = mails(app, recipient, template)[0]
    assert 0 < len(mail.subject) < 50
    address = re.escape("http://localhost:5000" + page) + r"[\w-]*"
    links = [line for line in mail.text.splitlines() if re.fullmatch(address, line)]
    assert len(links) == 1
    assert links[0] in [unescape(href) for href in re.findall(r'href="([^"]+)"', mail.html)]
    assert NOT_YOU in mail.text
    assert NOT_YOU in mail.html
    assert "{" not in mail.text + re.sub(r"<style.*?</style>", "", mail.html, flags=re.S)


@pytest.mark.parametrize("template", MAILS)
def test_links_are_built_from_the_settings_alone(make_app: MakeApp, template: str) -> None:
    app = make_app(base_url="https://id.example", app_name="Lodge", fake_providers=("google",))
    door = AccountJson(app)
    door.client.environ_base |= {"HTTP_X_FORWARDED_HOST": "evil.example"}
    act, recipient, _ = MAILS[template]
    act(signed_in(door))
    mail = mails(app, recipient, template)[0]
    found = re.findall(r"https?://[^/\s\"<]+", mail.text + mail.html)
    assert set(found) == {"https://id.example"}
    assert "Lodge" in mail.subject + mail.text
    assert "Latchkey" not in mail.subject + mail.text + mail.html
