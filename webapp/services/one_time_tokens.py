"""One-time tokens for mailed links: random, kept as digests, bound to one purpose, used once."""

from datetime import timedelta
from enum import StrEnum

from webapp import clock
from webapp.errors import LinkInvalid
from webapp.services.secrets import digest, new_secret
from webapp.stores import one_time_tokens
from webapp.stores.one_time_tokens import OneTimeToken


class Purpose(StrEnum):
    """What a token is for; it is worthless for anything else."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    UNDO_EMAIL_CHANGE = "undo_email_change"
    RESET_PASSWORD = "reset_password"  # noqa: S105 (a purpose)
    NOT_ME = "not_me"


LIFETIMES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.UNDO_EMAIL_CHANGE: timedelta(days=7),
    Purpose.RESET_PASSWORD: timedelta(minutes=30),
    Purpose.NOT_ME: timedelta(days=7),
}


def issue(
    purpose: Purpose,
    user_id: str,
    *,
    browser_secret: str | None = None,
    subject: str = "",
    email: str | None = None,
) -> str:
    """Make a token, ending the person's earlier one for the same; part of a transaction.

    :param browser_secret: the secret in a cookie of the browser that asks for it, if any.
    :param subject: tells tokens of one purpose apart that may stand beside each other.
    :param email: the address that it is about, where that is not the account's present one.
    :returns: the token for the link, 43 URL-safe characters; it is not kept.
    """
    token = new_secret()
    now = clock.now()
    # One that is about a session, which is as new, stands in no other's place.
    keep = one_time_tokens.add if purpose is Purpose.NOT_ME else one_time_tokens.replace
    keep(
        OneTimeToken(
            digest=digest(token),
            user_id=user_id,
            purpose=purpose,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
            subject=subject,
            email=email,
            browser_digest=digest(browser_secret) if browser_secret else None,
        )
    )
    return token


def peek(token: str, *purposes: Purpose) -> OneTimeToken:
    """Return what a token stands for and use nothing up, for the page that a link opens.

    :raises LinkInvalid: when it is used, expired, superseded, foreign or malformed.
    """
    found = one_time_tokens.find(digest(token), purposes, clock.now())
    if found is None:
        raise LinkInvalid
    return found


def use(token: str, *purposes: Purpose) -> OneTimeToken:
    """Use a token up, part of a transaction: of all who try at once, one gets it.

    :raises LinkInvalid: when it is used, expired, superseded, foreign or malformed.
    """
    found = peek(token, *purposes)
    if not one_time_tokens.use(found.digest, found.purpose, clock.now()):
        raise LinkInvalid
    return found


def void(user_id: str, *purposes: Purpose) -> None:
    """End a person's links for these purposes, part of a transaction."""
    one_time_tokens.void(user_id, purposes)
