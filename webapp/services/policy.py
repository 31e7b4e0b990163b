"""What is allowed: new passwords, names, and who may sign in."""

import gzip
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from webapp.errors import EmailNotVerified, FieldError, InvalidCredentials, ValidationFailed
from webapp.services.parts import parts
from webapp.stores.users import Account

PASSWORD_MAX_LENGTH = 1024
# How long somebody can come back to an account that they deleted.
DELETED_KEPT_FOR = timedelta(days=14)
NAME_MAX_LENGTH = 100

# 8,354 passwords of 8 characters and more, the most frequent first-tried ones, from the list that
# Royce Williams compiled from published leaks, as Django 5 ships it.
_COMMON = Path(__file__).with_name("common_passwords.txt.gz")


def check_all(*checks: Callable[[], Any]) -> list[Any]:
    """Run every check, so that a person learns of all that is wrong at once; return what they did.

    :raises ValidationFailed: with what all of them found.
    """
    found: list[Any] = []
    problems: list[FieldError] = []
    for check in checks:
        try:
            found.append(check())
        except ValidationFailed as error:
            problems += error.errors
    if problems:
        raise ValidationFailed(*problems)
    return found


def check_new_password(password: str, email: str, field: str = "password") -> None:
    """Refuse a password that is too short, too long, well known, or made of the account itself.

    NIST SP 800-63B-4, section 3.1.1.2: length and a blocklist, no rules of composition.

    :raises ValidationFailed: with the one thing to change, on `field`.
    """
    if problem := _password_problem(password, email):
        raise ValidationFailed(FieldError(field, *problem))


def check_password_length(password: str, field: str = "password") -> None:
    """Refuse what cannot be anybody's password before anything is hashed.

    :raises ValidationFailed: when it is empty or longer than 1,024 characters.
    """
    if not password:
        raise ValidationFailed(FieldError(field, "missing", "Enter your password."))
    if len(password) > PASSWORD_MAX_LENGTH:
        raise ValidationFailed(FieldError(field, "too_long", _TOO_LONG))


def check_name(name: str, field: str = "name", most: int = NAME_MAX_LENGTH) -> str:
    """Return a name trimmed, or refuse one that is too long or holds control characters.

    :raises ValidationFailed: on `field`.
    """
    name = name.strip()
    if len(name) > most:
        raise ValidationFailed(FieldError(field, "too_long", f"Use at most {most} characters."))
    if any(unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") for char in name):
        raise ValidationFailed(
            FieldError(field, "invalid_characters", "Use letters, digits and punctuation.")
        )
    return name


def check_may_sign_in(account: Account) -> None:
    """Refuse an account that is shut or not yet proved; only asked after the right password.

    :raises InvalidCredentials: for a disabled account, told apart from nothing.
    :raises EmailNotVerified: where EMAIL_VERIFICATION asks for a proof that is not there.
    """
    if account.is_disabled:
        raise InvalidCredentials
    if parts().settings.email_verification == "required" and not account.email_verified:
        raise EmailNotVerified


_TOO_LONG = f"Use at most {PASSWORD_MAX_LENGTH:,} characters."


def _password_problem(password: str, email: str) -> tuple[str, str] | None:
    settings = parts().settings
    least = settings.password_min_length
    if not password:
        return "missing", "Choose a password."
    if len(password) > PASSWORD_MAX_LENGTH:
        return "too_long", _TOO_LONG
    if len(password) < least:
        return (
            "too_short",
            f"Use at least {least} characters. A few words in a row are easy to remember.",
        )
    return _guess(password, email, settings.app_name)


def _guess(password: str, email: str, app_name: str) -> tuple[str, str] | None:
    """Say why somebody could guess it."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    if plain in _common_passwords():
        return "too_common", "Choose another one: this is among the first that attackers try."
    if email and (email in plain or plain == email.partition("@")[0]):
        return "contains_email", "Choose one that does not contain your email address."
    if len(app_name) > 3 and app_name.casefold() in plain:
        return "contains_app_name", f"Choose one that does not contain “{app_name}”."
    return None


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(gzip.decompress(_COMMON.read_bytes()).decode().split("\n"))
