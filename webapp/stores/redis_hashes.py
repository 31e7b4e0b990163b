"""How a session is written in Redis: the names of keys, and the fields of a hash."""

from datetime import UTC, datetime, timedelta
from typing import Any

from webapp.stores.sessions import Session

SESSION, INDEX = "latchkey:session:", "latchkey:sessions-of:"

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = Session.__annotations__


def key_of(session_id: str) -> str:
    """Return the key of a session; a cluster places it by what stands in the braces."""
    return f"{SESSION}{{{session_id}}}"


def index_of(user_id: str) -> str:
    """Return the key of the index of a person's sessions."""
    return f"{INDEX}{{{user_id}}}"


def new_hash(session: Session) -> list[str]:
    """Return the fields and values of a session that is new in Redis."""
    fields = encode(session) | {"ended_by": "", "moved_by": ""}
    return [text for pair in fields.items() for text in pair]


def encode(session: Session) -> dict[str, str]:
    """Return a session as the fields of a hash."""
    return {name: encode_value(getattr(session, name)) for name in _KINDS}


def encode_value(value: object) -> str:
    """Write one value: a moment in microseconds since 1970, and nothing for None."""
    if isinstance(value, datetime):
        return str((value - _BEGINNING) // timedelta(microseconds=1))
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def decode(fields: dict[str, str]) -> Session | None:
    """Read a session; None when there are no fields, and so no session."""
    if not fields:
        return None
    # A field that came with a later release has its default in what was written before.
    known = {name: kind for name, kind in _KINDS.items() if name in fields}
    return Session(**{name: _decode_value(kind, fields[name]) for name, kind in known.items()})


def decode_moment(microseconds: int) -> datetime:
    """Read a moment."""
    return _BEGINNING + timedelta(microseconds=microseconds)


def _decode_value(kind: Any, text: str) -> Any:
    if kind is str:
        return text
    if kind is bool:
        return text == "1"
    if not text:
        return None
    if kind == str | None:
        return text
    return int(text) if kind in (int, int | None) else decode_moment(int(text))
