"""How a guard of a host's view refuses: people are led on, programs get problem details."""

from urllib.parse import urlsplit

from flask import Response, request
from werkzeug.exceptions import ServiceUnavailable, default_exceptions

from webapp.doors.api.problems import problem
from webapp.doors.csrf import SAFE_METHODS
from webapp.doors.pages.guards import bounce, reauthenticate_path
from webapp.doors.pages.paths import safe_next, this_path, with_next
from webapp.doors.pages.rendering import see_other
from webapp.doors.sources import bearer_token
from webapp.doors.statuses import refusal_of
from webapp.errors import (
    AuthError,
    NotSignedIn,
    ReauthenticationRequired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from webapp.host.mounted import mounted


def is_for_a_page() -> bool:
    """Whether a browser asks for a page: it says so, where fetch and other programs do not."""
    if bearer_token() is not None:
        return False
    is_navigation = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return is_navigation and "text/html" in request.accept_mimetypes.values()


def refuse(error: AuthError, is_helped_by_pages: bool) -> Response:
    """Return the answer to a request that a guard does not let through.

    What is no matter of signing in, people see on the host's own error pages.

    :raises HTTPException: for those.
    """
    if not is_for_a_page():
        with mounted().app.app_context():
            return _unstored(problem(refusal_of(error)))
    if is_helped_by_pages and (answer := _lead_on(error)):
        return _unstored(answer)
    refusal = refusal_of(error)
    if refusal.status == 503:
        raise ServiceUnavailable(refusal.detail, retry_after=2)
    raise default_exceptions[refusal.status](refusal.detail)


def _lead_on(error: AuthError) -> Response | None:
    """Send a browser to Latchkey's pages and back, where that helps."""
    with mounted().app.app_context():
        if isinstance(error, TokenExpired):
            return bounce()
        if isinstance(error, NotSignedIn | TokenInvalid | TokenRevoked):
            return see_other(with_next("/login", _page_before()))
        if isinstance(error, ReauthenticationRequired):
            return see_other(reauthenticate_path(_page_before(), is_form=False))
    return None


def _page_before() -> str:
    """Return where to go on once somebody has signed in or shown the password again.

    A form is not sent on with the password beside it, which is none of the host's business; the
    page that it is on is opened again, where the browser says which one that is.
    """
    if request.method in SAFE_METHODS:
        return this_path()
    before = urlsplit(request.referrer or "")
    is_here = before.netloc == request.host
    path = f"{before.path}?{before.query}" if before.query else before.path
    return safe_next(path if is_here else None, this_path())


def _unstored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
