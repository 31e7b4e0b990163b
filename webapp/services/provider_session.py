"""Requests to sign-in providers: bounded in time and size, and never following a redirect.

Imported by provider_http.py once there is one to be asked.
"""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from webapp.errors import ProviderUnavailable

# Seconds: to connect, between two bytes, and in all.
_TIMEOUT, _DEADLINE = (3.05, 5.0), 10.0
_MOST_BYTES = 512 * 1024

# Authlib's session logs nothing, but urllib3 writes addresses with their query at DEBUG.
logging.getLogger("urllib3").setLevel(logging.WARNING)

# The sockets of the request that a thread is at.
_at_work = threading.local()


class ProviderSession(OAuth2Session):  # type: ignore[misc]
    """Authlib's OAuth client, which neither hangs nor swallows whatever it is sent."""

    def __init__(self, **kwargs: Any) -> None:
        """As Authlib's."""
        super().__init__(**kwargs)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _WatchedAdapter())

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Send a request.

        :raises ProviderUnavailable: when there is no answer in time, or too much of one.
        """
        give_up_at = time.monotonic() + _DEADLINE
        kwargs |= {"timeout": _TIMEOUT, "allow_redirects": False, "stream": True}
        try:
            with _deadline(), super().request(method, url, **kwargs) as response:
                body = b""
                for chunk in response.iter_content(16 * 1024):
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise ProviderUnavailable(f"{_plain(url)} sends too much")
        except requests.RequestException as error:
            # Its text would hold the address with all that is in the query.
            raise ProviderUnavailable(f"{_plain(url)}: {type(error).__name__}") from None
        if time.monotonic() > give_up_at:
            # Hung up on by us: what came of it so far may look like all there is.
            raise ProviderUnavailable(f"{_plain(url)} sends too slowly")
        response._content = body
        if response.status_code >= 500 or response.status_code == 429:
            raise ProviderUnavailable(f"{_plain(url)} answers {response.status_code}")
        return cast(requests.Response, response)


class _Watched:
    """A connection that the deadline knows of."""

    def connect(self) -> None:
        """Connect."""
        super().connect()  # type: ignore[misc]
        _at_work.sockets.append(self.sock)  # type: ignore[attr-defined]


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _WatchedAdapter(HTTPAdapter):
    """Makes connections that the deadline knows of."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


@contextmanager
def _deadline() -> Iterator[None]:
    """Hang up when the time is over.

    The timeout of a socket begins anew with each byte: whoever sends one every few seconds, in the
    headers or the body, would hold us for hours.
    """
    sockets: list[socket.socket] = []
    _at_work.sockets = sockets
    timer = threading.Timer(_DEADLINE, _hang_up, [sockets])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(sockets: list[socket.socket]) -> None:
    for each in sockets:
        try:
            # The plain socket's own: an SSLSocket would also forget, under its reader's feet,
            # that it is one.
            socket.socket.shutdown(each, socket.SHUT_RDWR)
        except OSError:
            continue


def _plain(url: str) -> str:
    return url.partition("?")[0]
