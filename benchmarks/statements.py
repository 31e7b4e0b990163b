"""How many statements a request takes: counted on the way to PostgreSQL, whoever sends them."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Counter:
    """The statements of all connections, their texts kept by the names they were prepared under."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def forward(self, source: socket.socket, target: socket.socket) -> None:
        """Pass on what a client says, noting each Query ('Q') and Execute ('E') in it."""
        pending, has_begun = b"", False
        prepared: dict[bytes, str] = {}
        portals: dict[bytes, str] = {}
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
                pending += data
                while True:
                    # The first message has no letter before its length.
                    start = 1 if has_begun else 0
                    if len(pending) < start + 4:
                        break
                    (length,) = struct.unpack_from("!I", pending, start)
                    if len(pending) < start + length:
                        break
                    kind, body = pending[:start], pending[start + 4 : start + length]
                    pending, has_begun = pending[start + length :], True
                    self._note(kind, body, prepared, portals)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _note(
        self, kind: bytes, body: bytes, prepared: dict[bytes, str], portals: dict[bytes, str]
    ) -> None:
        parts = body.split(b"\0")
        if kind == b"Q":
            self.seen.append(parts[0].decode())
        elif kind == b"P":
            prepared[parts[0]] = parts[1].decode()
        elif kind == b"B":
            portals[parts[0]] = prepared.get(parts[1], "?")
        elif kind == b"E":
            self.seen.append(portals.get(parts[0], "?"))


@contextmanager
def counted(database_url: str) -> Iterator[tuple[str, Counter]]:
    """Yield an address that leads to the same database past a counter, and the counter."""
    counter = Counter()
    to = urlsplit(database_url)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((to.hostname, to.port))
                for work, ends in (
                    (counter.forward, (client, server)),
                    (copy, (server, client)),
                ):
                    threading.Thread(target=work, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield database_url.replace(f":{to.port}", f":{port}"), counter
    finally:
        listener.close()
