"""A document to keep, the same through both doors."""

from typing import Any

from flask import Response, jsonify


def export_file(document: dict[str, Any]) -> Response:
    """Return a document as a JSON file to be saved."""
    response = jsonify(document)
    response.headers["Content-Disposition"] = 'attachment; filename="my-account.json"'
    return response
