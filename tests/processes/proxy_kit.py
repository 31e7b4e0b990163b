"""A proxy in front of a database server, which can be told to refuse, to drop and to hang."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support import free_port


class Proxy:
    """Passes bytes on between a port of its own and a server's, as long as it is well."""

    def __init__(self, server_port: int) -> None:
        self.port = free_port()
        self._server_port = server_port
        self._listener: socket.socket | None = None
        self._flows = threading.Event()
        self._flows.set()
        self._loses_a_reply = threading.Event()
        self._connections: list[socket.socket] = []
        self.start()

    def start(self) -> None:
        """Take connections, and pass bytes on."""
        self._flows.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def drop(self) -> None:
        """Cut all connections; new ones are taken as before."""
        while self._connections:
            with suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Cut all connections and take no new ones, as a server that is down."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.drop()

    def hang(self) -> None:
        """Take connections and whatever is sent, and never answer."""
        self._flows.clear()

    def lose_the_next_reply(self) -> None:
        """Take what is sent to the server, and cut the connection in place of its answer."""
        self._loses_a_reply.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                return
            self._connections += [client, server]
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with source, suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                if self._loses_a_reply.is_set() and self._is_from_server(source):
                    self._loses_a_reply.clear()
                    break
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _is_from_server(self, source: socket.socket) -> bool:
        return bool(source.getpeername()[1] == self._server_port)


@contextmanager
def proxy(server_port: int) -> Iterator[Proxy]:
    """Run a proxy for the length of a test."""
    made = Proxy(server_port)
    try:
        yield made
    finally:
        made.start()
        made.refuse()
