"""The one table from what went wrong to an HTTP status."""

import math
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException

from webapp import errors
from webapp.errors import AuthError, FieldError

STATUSES: dict[type[AuthError], int] = {
    errors.AttemptExpired: 400,
    errors.LinkInvalid: 400,
    errors.ProviderCancelled: 400,
    errors.NotSignedIn: 401,
    errors.InvalidCredentials: 401,
    errors.TokenInvalid: 401,
    errors.TokenExpired: 401,
    errors.TokenRevoked: 401,
    errors.RefreshReused: 401,
    errors.ReauthenticationRequired: 401,
    errors.ProviderTokenInvalid: 401,
    errors.ProviderClockOff: 401,
    errors.EmailNotVerified: 403,
    errors.PermissionMissing: 403,
    errors.ProviderEmailNotVerified: 403,
    errors.CsrfFailed: 403,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.AlreadyLinked: 409,
    errors.EmailTaken: 409,
    errors.LastSignInMethod: 409,
    errors.LinkRequired: 409,
    errors.LastAdmin: 409,
    errors.AccountShut: 409,
    errors.ValidationFailed: 422,
    errors.TooManyAttempts: 429,
    errors.ProviderMisconfigured: 503,
    errors.ProviderUnavailable: 503,
    errors.RedirectUriWrong: 503,
    errors.TemporarilyUnavailable: 503,
}

TITLES = {
    400: "This cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not possible here",
    409: "Not as things are",
    413: "Too large",
    415: "Not JSON",
    422: "Please check this",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not right now",
}

# What people are told where the web server or the framework refuses a request.
_HTTP_CODES = {
    400: ("bad_request", "The request cannot be read. Check its format and send it again."),
    404: ("not_found", errors.NotFound.message),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "This is more than 64 KiB, and more than we take. Send less."),
    415: ("unsupported_media_type", "Send JSON, with the header Content-Type: application/json."),
    422: ("validation_failed", errors.ValidationFailed.message),
}
UNEXPECTED = (
    "internal_error",
    "Something went wrong on our side. Try again; if it happens again, tell us the number below.",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What any door needs to refuse a request."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """A few words for the status."""
        return TITLES.get(self.status, "This did not work")


def refusal_of(error: Exception) -> Refusal:
    """Translate an exception; whatever is not known is an unexpected error of ours, a 500."""
    if isinstance(error, AuthError):
        status = STATUSES[type(error)]
        fields = error.errors if isinstance(error, errors.ValidationFailed) else ()
        return Refusal(status, error.code, error.message, fields, _headers(error, status))
    if isinstance(error, HTTPException) and error.code and error.code < 500:
        code, detail = _HTTP_CODES.get(error.code, ("bad_request", _HTTP_CODES[400][1]))
        kept = tuple((k, v) for k, v in error.get_headers() if k in ("Allow", "Retry-After"))
        return Refusal(error.code, code, detail, (), kept)
    return Refusal(500, *UNEXPECTED)


def _headers(error: AuthError, status: int) -> tuple[tuple[str, str], ...]:
    if isinstance(error, errors.TooManyAttempts):
        return (("Retry-After", str(max(1, math.ceil(error.resets_in.total_seconds())))),)
    if status == 503:
        return (("Retry-After", "2"),)
    if status == 401:
        is_about_token = error.code.startswith(("token_", "refresh_"))
        reason = ', error="invalid_token"' if is_about_token else ""
        return (("WWW-Authenticate", f'Bearer realm="Latchkey"{reason}'),)
    return ()
