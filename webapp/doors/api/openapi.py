"""The OpenAPI document: what APIFlask finds in the code, and what it cannot know."""

from typing import Any, cast

from apiflask import APIFlask
from flask import current_app

from config import Settings
from webapp.doors.api.schemas import Problem

# For @blueprint.doc(security=…): who is signed in may say so in either way.
SIGNED_IN: list[str | dict[str, list[str]]] = ["bearer", "cookie"]

_DESCRIPTION = """Sign up, sign in, stay signed in and sign out. Browsers get HttpOnly cookies and
send the readable cookie `XSRF-TOKEN` back as the header `X-XSRF-TOKEN`; other clients ask for
`"transport": "bearer"` and keep the tokens themselves. Errors are problem details (RFC 9457)."""


def prepare(app: APIFlask, settings: Settings) -> None:
    """Complete the document of an application."""
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_AUTH_ERROR_RESPONSE"] = False
    app.config["DESCRIPTION"] = " ".join(_DESCRIPTION.split())
    app.config["SECURITY_SCHEMES"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": app.config["JWT_ACCESS_COOKIE_NAME"],
            "description": "With the header X-XSRF-TOKEN where something is changed.",
        },
    }
    if settings.url_prefix:
        app.config["SERVERS"] = [{"url": settings.url_prefix}]
    app.spec_processor(_complete)


def spec_of_application() -> dict[str, Any]:
    """Return the document of the application at hand."""
    spec = cast(APIFlask, current_app).spec
    return cast(dict[str, Any], spec)


def _complete(spec: dict[str, Any] | str) -> dict[str, Any] | str:
    """Say how each operation refuses: the same way everywhere."""
    if isinstance(spec, str):
        return spec  # YAML, which is not served here.
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = spec["components"].setdefault("schemas", {})
    schemas |= schema.pop("$defs", {}) | {"Problem": schema}
    refusal = {
        "description": "Refused: problem details, with a stable `code`.",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    for methods in spec["paths"].values():
        for operation in methods.values():
            operation["responses"]["default"] = refusal
    return spec
