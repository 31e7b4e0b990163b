"""Email addresses: one spelling for each, so that one person has one account."""

from email_validator import EmailNotValidError, validate_email

from webapp.errors import FieldError, ValidationFailed

_MESSAGE = "Enter a whole email address, like name@example.org."


def normalize_email(typed: str) -> str:
    """Return the one spelling of an address: trimmed, lower case, in Unicode's NFC.

    Domains that no mail crosses the internet for (`.test`, `.local`, an intranet's own) are
    taken, since Latchkey runs there too; a domain without any dot is a slip of the hand.

    :raises ValidationFailed: when it is not an address.
    """
    try:
        found = validate_email(
            typed.strip(), check_deliverability=False, globally_deliverable=False
        )
    except (EmailNotValidError, UnicodeError):
        raise ValidationFailed(FieldError("email", "invalid_email", _MESSAGE)) from None
    email = found.normalized.lower()
    if "." not in found.ascii_domain or len(email) > 254:
        raise ValidationFailed(FieldError("email", "invalid_email", _MESSAGE))
    return email
