"""Mail servers for the tests: a good one, and some that go wrong in every way that is usual."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import free_port


@dataclass(frozen=True)
class Letter:
    """A message as it reached the server."""

    recipients: list[str]
    mail: EmailMessage
    is_encrypted: bool
    login: str | None

    @property
    def id(self) -> str:
        return str(self.mail["Message-ID"])


@dataclass
class Postbox:
    """The handler of a mail server: keeps what it takes, and what it has refused."""

    refuse_recipient: str | None = None
    refuse_data: str | None = None
    letters: list[Letter] = field(default_factory=list)
    refused: list[Letter] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: Sequence[str],
    ) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        login = session.auth_data
        letter = Letter(
            recipients=[str(address) for address in envelope.rcpt_tos],
            mail=message_from_bytes(content, policy=policy.default),
            is_encrypted=session.ssl is not None,
            login=login.login.decode() if isinstance(login, LoginPassword) else None,
        )
        if self.refuse_data:
            self.refused.append(letter)
            return self.refuse_data
        self.letters.append(letter)
        return "250 OK"


@contextmanager
def mail_server(
    postbox: Postbox,
    *,
    port: int | None = None,
    starttls: ssl.SSLContext | None = None,
    smtps: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[int]:
    """Run a mail server on this machine; yields its port.

    :param starttls: offers STARTTLS, and insists on it.
    :param login: the name and password that it takes.
    """

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        is_right = (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=is_right, handled=False, auth_data=data)

    port = port or free_port()
    controller = Controller(
        postbox,
        hostname="127.0.0.1",
        port=port,
        ssl_context=smtps,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=authenticate if login else None,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@contextmanager
def rude_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that treats each connection as `behave` says, then drops it; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                # An error means that the client was quicker to hang up.
                with suppress(OSError):
                    behave(connection)
                if is_over.is_set():
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(15)


def never_answer(connection: socket.socket) -> None:
    """Accept the connection and say nothing until the client gives up."""
    connection.recv(1)


def drop_in_the_middle(connection: socket.socket) -> None:
    """Take everything up to the first bytes of the message, then hang up."""
    connection.sendall(b"220 mail.example.org\r\n")
    for answer in (b"250 mail.example.org", b"250 OK", b"250 OK", b"354 go on"):
        _read_line(connection)
        connection.sendall(answer + b"\r\n")
    connection.recv(10)


def _read_line(connection: socket.socket) -> None:
    while connection.recv(1) not in (b"\n", b""):
        pass


def certificate(folder: Path) -> Path:
    """Make a certificate that signs itself, for localhost and 0.0.0.0; its key stands beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("0.0.0.0"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def tls_of(certificate_: Path) -> ssl.SSLContext:
    """Return what a server with this certificate offers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_)
    return context
