"""How a JSON door answers."""

from flask import Response, jsonify
from pydantic import BaseModel


def reply(body: BaseModel, status: int = 200) -> Response:
    """Return a body as JSON; what is None in it is left out."""
    response = jsonify(body.model_dump(mode="json", exclude_none=True))
    response.status_code = status
    return response
