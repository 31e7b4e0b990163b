"""What is asked before something is done to an account, and what is done when the answer is yes."""

from collections.abc import Callable
from dataclasses import dataclass

from webapp.features.admin import flow
from webapp.features.users import flow as users
from webapp.features.users.flow import Change
from webapp.services import policy
from webapp.services.client import Client


@dataclass(frozen=True, slots=True)
class Question:
    """A page that asks, and the flow behind its button."""

    title: str
    points: tuple[str, ...]
    button: str
    done: str
    do: Callable[[str, Client, str], object]
    is_dangerous: bool = True


QUESTIONS = {
    "disable": Question(
        "Disable this account?",
        (
            "Its owner is signed out everywhere, within about a second.",
            "Nobody can sign in to it, nor set a new password, until it is enabled again.",
            "Nothing is erased.",
        ),
        "Disable the account",
        "The account is disabled.",
        lambda user_id, client, by: users.change_user(
            user_id, Change(is_disabled=True), client, by
        ),
    ),
    "enable": Question(
        "Enable this account?",
        ("Its owner can sign in again, with the password that it had.",),
        "Enable the account",
        "The account is enabled.",
        lambda user_id, client, by: users.change_user(
            user_id, Change(is_disabled=False), client, by
        ),
        is_dangerous=False,
    ),
    "delete": Question(
        "Delete this account?",
        (
            "Its owner is signed out everywhere, within about a second, and told by mail.",
            f"After {policy.DELETED_KEPT_FOR.days} days it is erased for good.",
            "Signing in before that brings it back. To prevent that, disable it, too.",
        ),
        "Delete the account",
        "The account is deleted.",
        users.delete_user,
    ),
    "reset-password": Question(
        "Mail a link to set a new password?",
        (
            "It goes to the account's own address, and works for 30 minutes.",
            "The password that the account has works until a new one is set.",
        ),
        "Send the link",
        "The link is on its way.",
        users.start_reset,
        is_dangerous=False,
    ),
    "end-sessions": Question(
        "Sign this person out everywhere?",
        ("Every device has to sign in again. The password stays as it is.",),
        "Sign out everywhere",
        "The person is signed out everywhere.",
        flow.end_sessions,
    ),
}
