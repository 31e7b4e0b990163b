"""The API reference, rendered here from the OpenAPI document: no script of strangers."""

from collections import defaultdict
from typing import Any, cast

from apiflask import APIFlask
from flask import Blueprint, Response, current_app

from webapp.doors.pages.rendering import page

blueprint = Blueprint("api_docs", __name__)


@blueprint.get("/api/v1/docs")
def api_docs() -> Response:
    """Show what the API takes and gives."""
    spec = cast(dict[str, Any], cast(APIFlask, current_app).spec)

    def deref(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        return spec["components"]["schemas"][name] if name else schema

    operations = defaultdict(list)
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            operations[(operation.get("tags") or ["other"])[0]].append((method, path, operation))
    return page("ops/api_docs.html", spec=spec, operations=operations, deref=deref)
