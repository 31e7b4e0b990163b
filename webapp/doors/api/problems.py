"""Refusals in JSON: problem details (RFC 9457)."""

from typing import Any

from flask import Response, g, jsonify
from pydantic import ValidationError

from webapp.doors.statuses import Refusal
from webapp.errors import FieldError
from webapp.services.parts import parts

# pydantic's word for what is wrong: our code and what to do. The rest is "invalid".
_SAYINGS = {
    "missing": ("missing", "This is missing."),
    "string_type": ("wrong_type", "This has to be a string."),
    "string_unicode": ("wrong_type", "This has to be valid Unicode."),
    "bool_type": ("wrong_type", "This has to be true or false."),
    "int_type": ("wrong_type", "This has to be a whole number."),
    "list_type": ("wrong_type", "This has to be a list."),
    "int_parsing": ("wrong_type", "This has to be a whole number."),
    "greater_than_equal": ("out_of_range", "This is too small."),
    "less_than_equal": ("out_of_range", "This is too large."),
    "string_too_long": ("too_long", "This is too long."),
    "literal_error": ("not_a_choice", "This is not one of the values that are taken here."),
    "model_type": ("wrong_type", "The body has to be a JSON object."),
    "model_attributes_type": ("wrong_type", "The body has to be a JSON object."),
}


def problem(refusal: Refusal) -> Response:
    """Return a refusal as application/problem+json, with the id that the log knows it by."""
    body: dict[str, Any] = {
        "type": f"{parts().settings.root_url}/api/v1/docs#{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
    }
    if refusal.errors:
        body["errors"] = [
            {"field": error.field, "code": error.code, "message": error.message}
            for error in refusal.errors
        ]
    if refusal.status >= 500:
        body["request_id"] = g.get("request_id", "")
    response = jsonify(body)
    response.status_code = refusal.status
    response.mimetype = "application/problem+json"
    response.headers.extend(refusal.headers)
    return response


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Say what is wrong with the shape of a body, field by field, without what was sent."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        code, message = _SAYINGS.get(item["type"], ("invalid", "This cannot be used as it is."))
        found.append(FieldError(".".join(map(str, item["loc"])) or "body", code, message))
    return tuple(found)
