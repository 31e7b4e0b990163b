"""Everything that can go wrong for somebody, each with a stable code and a sentence.

A flow raises these; webapp.doors turns them into replies in one table. No HTTP here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its name in JSON and forms, a code, and a sentence."""

    field: str
    code: str
    message: str


class AuthError(Exception):
    """The root. `code` is stable and for programs, `message` is for people and may be reworded."""

    code: ClassVar[str]
    message: ClassVar[str]
    # The form field that it is about, where it is about one.
    field: ClassVar[str | None] = None


class ValidationFailed(AuthError):
    """The input has the right shape but not the right content."""

    code = "validation_failed"
    message = "Some of this cannot be used as it is. See the fields below."

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(", ".join(f"{error.field}: {error.code}" for error in errors))
        self.errors = errors


class NotSignedIn(AuthError):
    """The request carries no credentials at all."""

    code = "not_signed_in"
    message = "Sign in to go on."


class InvalidCredentials(AuthError):
    """Unknown address, wrong password, disabled account or no password: never told apart."""

    code = "invalid_credentials"
    message = "The email address or the password is not right. Check both and try again."


class EmailNotVerified(AuthError):
    """The password is right, but nobody has proved the address yet."""

    code = "email_not_verified"
    message = "Confirm your email address first: open the link that we sent you."


class EmailTaken(AuthError):
    """Told only where EMAIL_VERIFICATION lets it be told."""

    code = "email_taken"
    field = "email"
    message = "This address has an account already. Sign in, or use another address."


class TooManyAttempts(AuthError):
    """A limit is reached."""

    code = "too_many_attempts"
    message = "Too many tries. Wait a little, then try again."

    def __init__(self, resets_in: timedelta) -> None:
        super().__init__(f"resets in {resets_in}")
        self.resets_in = resets_in


class TokenInvalid(AuthError):
    """Forged, malformed, foreign, or of another purpose."""

    code = "token_invalid"
    message = "This token is not valid here. Sign in again."


class TokenExpired(AuthError):
    """Signed by us, but its time is over: come back through refresh."""

    code = "token_expired"
    message = "This token has expired. Refresh it, or sign in again."


class TokenRevoked(AuthError):
    """The session that it belongs to has ended."""

    code = "token_revoked"
    message = "This sign-in has ended. Sign in again."


class RefreshReused(AuthError):
    """A refresh token that was used up came back: the family is revoked."""

    code = "refresh_reused"
    message = "This sign-in was used from two places, so we ended it. Sign in again."


class LinkInvalid(AuthError):
    """A mailed token that is used, expired, superseded, foreign or malformed."""

    code = "token_invalid"
    message = "This link does not work any more. Ask for a new one."


class CsrfFailed(AuthError):
    """The request was not made by a page or script of ours."""

    code = "csrf_failed"
    message = "We could not tell that this came from our own page. Reload it and try again."


class ReauthenticationRequired(AuthError):
    """The sign-in is older than ten minutes, and this needs a fresh one."""

    code = "reauthentication_required"
    message = "Confirm your password first: this needs a fresh sign-in."


class Forbidden(AuthError):
    """Signed in, but not allowed."""

    code = "forbidden"
    message = "You are not allowed to do this."


class LastAdmin(AuthError):
    """Nobody would be left who can look after accounts."""

    code = "last_admin"
    message = "This is the last administrator. Make somebody else one first."


class AccountShut(AuthError):
    """Asked for something that an account which is disabled or deleted cannot do."""

    code = "account_shut"
    message = "This account is disabled or deleted, so no link would work. Enable it first."


class NotFound(AuthError):
    """Not there, or not for this person to see."""

    code = "not_found"
    message = "There is nothing here. Check the address."


class TemporarilyUnavailable(AuthError):
    """A store is down or everything is busy: try again, nothing is lost."""

    code = "temporarily_unavailable"
    message = "We cannot do this right now. Try again in a moment; nothing is lost."


class ProviderError(AuthError):
    """Signing in with a provider did not work; `cause` is for the log."""

    def __init__(self, cause: object = "") -> None:
        super().__init__(str(cause))
        self.cause = str(cause)


class ProviderTokenInvalid(ProviderError):
    """What a provider is said to have signed or issued is not its own, not for us, or too old."""

    code = "provider_token_invalid"
    message = "We could not verify what the provider sent. Start again."


class ProviderClockOff(ProviderTokenInvalid):
    """A token is out of its time although it has only just been issued."""

    code = "provider_clock_off"
    message = "The clocks here and at the provider disagree. Tell whoever runs this site."


class ProviderUnavailable(ProviderError):
    """The provider does not answer, or not as it should."""

    code = "provider_unavailable"
    message = "The provider does not answer right now. Try again in a moment, or use another way."


class ProviderCancelled(ProviderError):
    """The person said no at the provider."""

    code = "provider_cancelled"
    message = "You cancelled. Nothing has happened. Start again, or use another way."


class AttemptExpired(ProviderError):
    """No attempt of this browser goes with the reply: too late, used up, or begun elsewhere."""

    code = "attempt_expired"
    message = "This took more than 10 minutes, or began in another browser. Start again."


class ProviderMisconfigured(ProviderError):
    """The provider does not accept our client id or secret."""

    code = "provider_misconfigured"
    message = "This site is not set up right at the provider. Tell whoever runs it."


class RedirectUriWrong(ProviderMisconfigured):
    """The provider does not know our callback's address."""

    code = "redirect_uri_wrong"
    message = "The provider does not know this site's address. Tell whoever runs it."


class PermissionMissing(ProviderError):
    """The provider does not tell who the person is, for want of a permission."""

    code = "permission_missing"
    message = "The provider may not tell us who you are. Start again and allow it."


class ProviderEmailNotVerified(EmailNotVerified):
    """The provider gives no address, or one that it has not verified."""

    message = "The provider gives no confirmed email address. Confirm one with it, or sign up here."


class LinkRequired(AuthError):
    """The address that a new identity brings belongs to an account."""

    code = "link_required"
    message = "This address has an account. Sign in to it as before, then connect the provider."


class AlreadyLinked(AuthError):
    """The identity signs in to another account, or the account has one of this provider."""

    code = "already_linked"
    message = "This is connected already, or to another account. Disconnect it there first."


class LastSignInMethod(AuthError):
    """Without it, nobody could get into the account."""

    code = "last_sign_in_method"
    message = "This is your only way in. Set a password or connect another one first."
