"""Two applications behind one WSGI entry: Latchkey for its own paths, the host for all others."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import HTTPException, NotFound

from webapp.doors.prefix import path_below

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Mount:
    """Hands each request to the one application that it is for; nothing of the other sees it."""

    def __init__(self, host: "WSGIApplication", latchkey: Flask, prefix: str) -> None:
        """Take both applications.

        :param host: the host's `wsgi_app` as it was.
        :param prefix: what begins all of Latchkey's paths; if empty, its routes are its paths.
        """
        self._host = host
        self._latchkey = latchkey
        self._prefix = prefix

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        app = self._latchkey if self._is_for_latchkey(environ) else self._host
        return app(environ, start_response)

    def _is_for_latchkey(self, environ: "WSGIEnvironment") -> bool:
        if self._prefix:
            return path_below(environ, self._prefix) is not None
        path = environ.get("PATH_INFO", "")
        if path in ("", "/"):
            return False  # A host has a start page of its own.
        try:
            self._latchkey.url_map.bind("").match(path, environ["REQUEST_METHOD"])
        except NotFound:
            return False
        except HTTPException:
            pass  # Another method, or another spelling: ours to say so.
        return True
