"""Life below a path: what URL_PREFIX means to a WSGI server."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class BelowPrefix:
    """Has an application answer below a path: its own routes begin after it."""

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        """Take the application and the path, such as `/id`."""
        self._app = app
        self._prefix = prefix

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request below the path; whatever else comes is not found."""
        rest = path_below(environ, self._prefix)
        if rest is None:
            return NotFound()(environ, start_response)
        below = environ | {"SCRIPT_NAME": self._prefix, "PATH_INFO": rest}
        return self._app(below, start_response)


def path_below(environ: "WSGIEnvironment", prefix: str) -> str | None:
    """Return what a request asks for below a path, or None when it asks for something else.

    The path is the whole of it as browsers see it, whatever part of it a server or a dispatcher in
    front has put into SCRIPT_NAME already.
    """
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if path == prefix:
        return "/"
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else None
