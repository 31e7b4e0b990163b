"""Every exception's way out: problem details for the API, a page for people, a line for the log."""

import logging

from apiflask import APIFlask, HTTPError
from flask import Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from webapp.doors.api.problems import field_errors, problem
from webapp.doors.pages.guards import BOUNCE_PATH, bounce
from webapp.doors.pages.rendering import error_page, page, see_other
from webapp.doors.statuses import Refusal, refusal_of
from webapp.errors import AuthError, LinkInvalid, TokenExpired, TokenRevoked, ValidationFailed

logger = logging.getLogger(__name__)

_JSON_PATHS = ("/api/", "/healthz", "/readyz", "/.well-known/")
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
    if refusal.status == 500:
        logger.exception("unexpected error %s at %s %s", g.request_id, request.method, request.path)
    elif refusal.status == 503:
        logger.warning("unavailable: %r, by %r", error, error.__cause__)
    if request.path.startswith(_JSON_PATHS) and request.path not in _PAGES_AMONG_THEM:
        return problem(refusal)
    if isinstance(error, TokenExpired):
        return bounce()
    if isinstance(error, LinkInvalid):
        return page("errors/dead_link.html", refusal.status)
    if isinstance(error, TokenRevoked):
        return see_other("/login")
    return error_page(refusal)


def _refuse_body(error: HTTPError) -> Response:
    """Refuse a body that APIFlask could not take: its cause is what pydantic found."""
    if isinstance(error.__cause__, ValidationError):
        return _refuse(ValidationFailed(*field_errors(error.__cause__)))
    return problem(Refusal(error.status_code, "bad_request", error.message or ""))
