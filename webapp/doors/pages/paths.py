"""Where people may be sent: local paths, and nothing else."""

import re
from urllib.parse import quote, urlsplit

from flask import request

from webapp.services.parts import parts

# A browser drops tabs and line ends from an address, and takes \ for /; none has any business here.
_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


def own(path: str) -> str:
    """Return the path of a page of ours as browsers ask for it, below URL_PREFIX."""
    return parts().settings.url_prefix + path


def safe_next(value: str | None, default: str = "") -> str:
    """Return a local path as it is, and `default`, or the account, in place of anything else."""
    if value and len(value) <= 500 and _LOCAL.fullmatch(value):
        split = urlsplit(value)
        if not split.scheme and not split.netloc:
            return value
    return default or own("/account")


def this_path() -> str:
    """Return the path and query of the request at hand, as a browser would ask for them again."""
    path = quote(request.script_root + request.path, safe="!$&'()*+,/:;=@")
    query = request.query_string.decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def with_next(path: str, target: str) -> str:
    """Return the path of a page of ours that carries on to another local path."""
    return f"{own(path)}?next={quote(target, safe='/')}"
