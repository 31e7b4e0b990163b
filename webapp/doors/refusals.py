"""Every exception's way out: problem details for the API, a page for people, a line for the log."""

from apiflask import APIFlask, HTTPError
from flask import Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from webapp.doors import logs
from webapp.doors.api.problems import field_errors, problem
from webapp.doors.gql import PATH as GRAPHQL_PATH
from webapp.doors.gql.problems import problem as gql_problem
from webapp.doors.pages.guards import BOUNCE_PATH, ask_for_password, bounce, sign_in_path
from webapp.doors.pages.rendering import error_page, page, see_other
from webapp.doors.statuses import Refusal, refusal_of
from webapp.errors import (
    AuthError,
    LinkInvalid,
    NotSignedIn,
    ReauthenticationRequired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    ValidationFailed,
)

_JSON_PATHS = ("/api/", "/healthz", "/readyz", "/metrics", "/.well-known/")
# People come through these on the way from page to page.
_PAGES_AMONG_THEM = (BOUNCE_PATH, "/api/v1/docs")


def prepare(app: APIFlask) -> None:
    """Have an application answer every exception."""
    app.register_error_handler(AuthError, _refuse)
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _refuse)
    app.error_callback = _refuse_body


def _refuse(error: Exception) -> Response:
    refusal = refusal_of(error)
    logs.note_refusal(error, refusal)
    if request.path == GRAPHQL_PATH:
        return gql_problem(refusal)
    if request.path.startswith(_JSON_PATHS) and request.path not in _PAGES_AMONG_THEM:
        return problem(refusal)
    return _page_of(error, refusal)


def _page_of(error: Exception, refusal: Refusal) -> Response:
    """Send people on where that helps, and show them what is wrong where it does not."""
    if isinstance(error, TokenExpired):
        return bounce()
    if isinstance(error, LinkInvalid):
        return page("errors/dead_link.html", refusal.status)
    if isinstance(error, (NotSignedIn, TokenInvalid, TokenRevoked)):
        return see_other(sign_in_path())
    if isinstance(error, ReauthenticationRequired):
        return ask_for_password()
    return error_page(refusal)


def _refuse_body(error: HTTPError) -> Response:
    """Refuse a body that APIFlask could not take: its cause is what pydantic found."""
    if isinstance(error.__cause__, ValidationError):
        return _refuse(ValidationFailed(*field_errors(error.__cause__)))
    return problem(Refusal(error.status_code, "bad_request", error.message or ""))
