"""Changing the password: the present one is asked for, and the other sessions end."""

from webapp.errors import FieldError, ValidationFailed
from webapp.services import audit, notices, one_time_tokens, policy, reauthentication, sessions
from webapp.services.access import account_of
from webapp.services.client import Client
from webapp.services.one_time_tokens import Purpose
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims
from webapp.stores import users
from webapp.stores.transactions import transact
from webapp.stores.users import Account


def change_password(current: str, new: str, claims: AccessClaims, client: Client) -> None:
    """Give somebody another password; this session goes on, the others end.

    :raises ReauthenticationRequired: when the sign-in is older than ten minutes.
    :raises ValidationFailed: when the present password is wrong or the new one cannot be used.
    :raises TooManyAttempts: when the present password was guessed at too often.
    """
    reauthentication.check_recent_sign_in(claims)
    account = account_of(claims)
    policy.check_new_password(new, account.email, field="new_password")
    reauthentication.check_present_password(account, current, client, field="current_password")
    new_hash = parts().passwords.hash(new)
    transact(lambda: _change(account, new_hash, claims, client))


def _change(account: Account, new_hash: str, claims: AccessClaims, client: Client) -> None:
    if not users.change_password(account.id, account.password_hash or "", new_hash):
        message = "The password was changed elsewhere just now. Check it and try again."
        raise ValidationFailed(FieldError("current_password", "wrong_password", message))
    sessions.end_all_of(account.id, "password_changed", but=claims.session_id)
    # A thief who was signed in may have asked to move the account: that falls with the password.
    one_time_tokens.void(account.id, Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL)
    audit.record("password_changed", client, user_id=account.id, session_id=claims.session_id)
    notices.password_changed(account, client)
