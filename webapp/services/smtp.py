"""Mail over SMTP."""

import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from config import Settings
from webapp.services.protocols import NotDelivered

_TIMEOUT = 20.0  # seconds that each reply of the server may take


class SmtpTransport:
    """Sends through the server that SMTP_URL names."""

    def __init__(self, settings: Settings) -> None:
        """Take SMTP_URL, and MAIL_FROM for the name that the server is greeted by."""
        self._url = urlsplit(settings.smtp_url.get_secret_value())
        self._name = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"

    def send(self, mail: EmailMessage) -> None:
        """Send one message on a connection of its own.

        :raises NotDelivered: with what the server said.
        """
        try:
            self._send(mail)
        except (OSError, smtplib.SMTPException) as problem:
            raise NotDelivered(_explain(problem), _is_final(problem)) from problem

    def _send(self, mail: EmailMessage) -> None:
        url, host = self._url, self._url.hostname or "localhost"
        context = ssl.create_default_context()
        connection: smtplib.SMTP
        if url.scheme == "smtps":
            connection = smtplib.SMTP_SSL(
                host, url.port or 465, self._name, timeout=_TIMEOUT, context=context
            )
        else:
            connection = smtplib.SMTP(host, url.port or 587, self._name, timeout=_TIMEOUT)
        with connection as server:
            server.ehlo_or_helo_if_needed()
            if url.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=_trusting(context, host))
                server.ehlo()
            elif url.scheme == "smtp" and not _is_this_machine(host):
                raise smtplib.SMTPException(
                    "the server offers no STARTTLS, so nothing was sent to it"
                )
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(mail)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _trusting(context: ssl.SSLContext, host: str) -> ssl.SSLContext:
    """Take any certificate of a server on this machine: it has no wire to listen on."""
    if _is_this_machine(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _explain(problem: Exception) -> str:
    """Return the server's code and words on one line, for the log and the outbox."""
    # smtplib says that the server hung up, and keeps the reason to itself.
    if isinstance(problem, TimeoutError) or isinstance(problem.__context__, TimeoutError):
        return "the mail server did not answer in time"
    code: int
    words: bytes | str
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(problem.recipients.values()))
    elif isinstance(problem, smtplib.SMTPResponseException):
        code, words = problem.smtp_code, problem.smtp_error
    else:
        return " ".join(f"{type(problem).__name__}: {problem}".split())[:300]
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(f"{code} {text}".split())[:300]


def _is_final(problem: Exception) -> bool:
    """Whether trying again is no use: the server refused this very person or message for good."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in problem.recipients.values())
    if isinstance(problem, smtplib.SMTPDataError):
        return problem.smtp_code >= 500
    return isinstance(problem, smtplib.SMTPNotSupportedError)
