"""The API reference, rendered here from the OpenAPI document: no script of strangers."""

from functools import partial
from typing import Any

from flask import Blueprint, Response

from webapp.doors.api.openapi import spec_of_application
from webapp.doors.guards import public
from webapp.doors.pages.rendering import page

blueprint = Blueprint("api_docs", __name__)


@blueprint.get("/api/v1/docs")
@public
def api_docs() -> Response:
    """Show what the API takes and gives."""
    spec = spec_of_application()
    return page("ops/api_docs.html", spec=spec, deref=partial(_resolve, spec))


def _resolve(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = spec["components"]["schemas"][name] if name else schema
    return found
