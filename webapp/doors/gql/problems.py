"""Refusals in GraphQL: `errors`, each with a stable `extensions.code`."""

from typing import TYPE_CHECKING, Any

from flask import Response, g, jsonify

from webapp.doors import logs
from webapp.doors.statuses import Refusal, refusal_of

if TYPE_CHECKING:
    # A site that has no GraphQL door refuses this path, too, and need not load the library for it.
    from graphql import GraphQLError

# What whoever stands between us and the client has to know of, too: when to come back, and that
# something is broken. All else is an answer like any other, 200 (GraphQL over HTTP, 6.4.1).
_TOLD_BY_STATUS = (429, 500, 503)


def problem(refusal: Refusal) -> Response:
    """Return a refusal of the whole request, before anything was run."""
    response = jsonify(errors=[{"message": refusal.detail, "extensions": _extensions(refusal)}])
    response.status_code = refusal.status
    response.headers.extend(refusal.headers)
    return response


def unreadable(errors: list["GraphQLError"]) -> Response:
    """Return what is wrong with a document, its variables or its size: nothing was run."""
    found = [
        error.formatted | {"extensions": {"code": "bad_request", "status": 400}} for error in errors
    ]
    response = jsonify(errors=found)
    response.status_code = 400
    return response


def refused(error: "GraphQLError", cause: Exception) -> Response:
    """Return how the operation ended that raised this, without saying more than a door may."""
    refusal = refusal_of(cause)
    logs.note_refusal(cause, refusal)
    entry = error.formatted | {"message": refusal.detail, "extensions": _extensions(refusal)}
    response = jsonify(errors=[entry], data=None)
    if refusal.status in _TOLD_BY_STATUS:
        response.status_code = refusal.status
        response.headers.extend(refusal.headers)
    return response


def _extensions(refusal: Refusal) -> dict[str, Any]:
    found: dict[str, Any] = {"code": refusal.code, "status": refusal.status}
    if refusal.status >= 500:
        found["request_id"] = g.get("request_id", "")
    return found
