"""Whether somebody who is signed in is still the one who signed in."""

from datetime import timedelta

from webapp import clock
from webapp.errors import FieldError, ReauthenticationRequired, ValidationFailed
from webapp.services import audit, policy
from webapp.services.client import Client
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims
from webapp.stores.transactions import transact
from webapp.stores.users import Account

RECENT = timedelta(minutes=10)


def check_recent_sign_in(claims: AccessClaims, recent: timedelta = RECENT) -> None:
    """Refuse what needs a fresh sign-in (ASVS 7.5.1) to one that is older than that.

    :raises ReauthenticationRequired: when it is.
    """
    if clock.now().timestamp() - claims.auth_time > recent.total_seconds():
        raise ReauthenticationRequired


def check_present_password(
    account: Account, password: str, client: Client, field: str = "password"
) -> None:
    """Make sure that somebody knows the account's password; counted like a sign-in.

    :raises ValidationFailed: with the code `wrong_password` on `field`, also where there is none.
    :raises TooManyAttempts: before anything is hashed.
    """
    policy.check_password_length(password, field)
    attempt = parts().throttle.begin_sign_in(client.ip, account.email)
    if parts().passwords.verify(password, account.password_hash).is_right:
        parts().throttle.forgive(attempt)
        return
    transact(lambda: audit.record("password_check_failed", client, user_id=account.id))
    message = "This is not your present password. Check it and try again."
    raise ValidationFailed(FieldError(field, "wrong_password", message))
