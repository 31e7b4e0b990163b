"""What every JSON door of a room begins with."""

import json
from typing import Any, NoReturn

from apiflask import APIBlueprint
from flask import request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import UnsupportedMediaType

from webapp.doors import csrf

PREFIX = "/api/v1"


def api_room(name: str) -> APIBlueprint:
    """Return the blueprint of a room's JSON door, under /api/v1."""
    blueprint = APIBlueprint(f"{name}_api", __name__, url_prefix=PREFIX, tag=name.replace("_", " "))
    blueprint.before_request(_check_content_type)
    return blueprint


def _check_content_type() -> None:
    """Take JSON alone: a form of another site cannot send it without asking first (CORS)."""
    if request.method in csrf.SAFE_METHODS:
        return
    has_body = bool(request.content_length) or "chunked" in request.headers.get(
        "Transfer-Encoding", ""
    )
    if has_body and not request.is_json:
        raise UnsupportedMediaType


class StrictJSONProvider(DefaultJSONProvider):
    """Flask's JSON, refusing what two readers could understand in two ways."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse JSON; NaN, a key given twice and bottomless nesting are errors in it.

        :raises ValueError: when it cannot be read, or not in one way alone.
        """
        # The standard library would guess at UTF-16 and let half characters pass (RFC 8259, 8.1).
        text = s.decode() if isinstance(s, bytes) else s
        try:
            found = super().loads(
                text,
                object_pairs_hook=_refuse_duplicates,
                parse_constant=_refuse_constant,
                **kwargs,
            )
            # Half of a surrogate pair is no character: it can neither be hashed nor stored.
            if "\\u" in text:
                json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return found


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
