"""How a JSON door answers."""

from collections.abc import Sequence

from flask import Response, jsonify
from pydantic import BaseModel


def reply(body: BaseModel, status: int = 200) -> Response:
    """Return a body as JSON; what is None in it is left out."""
    text = body.model_dump_json(exclude_none=True)
    return Response(text, status, mimetype="application/json")


def list_reply(items: Sequence[BaseModel], next_cursor: str | None) -> Response:
    """Return a page of a list; the cursor is null after the last one."""
    data = [item.model_dump(mode="json", exclude_none=True) for item in items]
    return jsonify(data=data, next_cursor=next_cursor)
