"""Where people may be sent: local paths, and nothing else."""

import re
from urllib.parse import quote, urlsplit

from flask import request

# A browser drops tabs and line ends from an address, and takes \ for /; none has any business here.
_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


def safe_next(value: str | None, default: str = "/account") -> str:
    """Return a local path as it is, and `default` in place of anything else."""
    if value and len(value) <= 500 and _LOCAL.fullmatch(value):
        parts = urlsplit(value)
        if not parts.scheme and not parts.netloc:
            return value
    return default


def this_path() -> str:
    """Return the path and query of the request at hand."""
    return request.full_path.rstrip("?")


def with_next(path: str, target: str) -> str:
    """Return a path that carries on to another one."""
    return f"{path}?next={quote(target, safe='/')}"
