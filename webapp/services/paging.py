"""Lists in pages: each begins after a position, so that inserts move nothing and depth costs none.

A cursor is that position, written so that nobody builds on what it looks like. It is not signed:
a made-up one only asks for another place in a list that whoever asks may read from its beginning.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from webapp.errors import FieldError, ValidationFailed

PAGE = 50
MOST = 100

T = TypeVar("T")

_MESSAGE = "Take a cursor as the list gave it, or none to begin."


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor of the page after them; None after the last."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*position: str) -> str:
    """Return a position as a cursor of URL-safe characters."""
    text = json.dumps(position, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, width: int) -> tuple[str, ...]:
    """Return the position that a cursor stands for.

    :param width: of how many texts it has to consist, the last of them an id.
    :raises ValidationFailed: on the field `cursor`, when it is none of ours.
    """
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
        if len(cursor) > 2000 or not isinstance(found, list) or len(found) != width:
            raise ValueError("not a position")
        if not all(isinstance(part, str) and "\0" not in part for part in found):
            raise ValueError("not a position of texts")
        # MariaDB compares no other letters with an id, and nobody half of a surrogate pair.
        found[-1].encode("ascii")
        "".join(found).encode()
    except (ValueError, RecursionError):
        raise ValidationFailed(FieldError("cursor", "invalid_cursor", _MESSAGE)) from None
    return tuple(found)


def page_of(rows: Sequence[T], limit: int, position: Callable[[T], Sequence[str]]) -> Page[T]:
    """Make a page of rows that were read with one more than it holds.

    :param position: where a row stands in the list: what the cursor after it says.
    """
    items = list(rows[:limit])
    return Page(items, encode_cursor(*position(items[-1])) if len(rows) > limit else None)
