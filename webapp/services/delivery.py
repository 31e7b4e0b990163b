"""Delivery of the outbox over SMTP: each message claimed first, then sent, then settled.

Of all processes that deliver at a time, one gets a message. Should that one be killed between
the server's yes and writing it down, the message goes out again once the claim has run out, under
the same Message-ID, so that mailboxes can tell; losing it would be worse.
"""

import ipaddress
import logging
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from config import Settings
from webapp import clock
from webapp.services.ids import new_id
from webapp.stores import outbox
from webapp.stores.outbox import Message, Settlement
from webapp.stores.transactions import read, transact

logger = logging.getLogger(__name__)

# After the first failure, the second, …; then it is given up, after almost two days.
PAUSES = tuple(
    timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400)
)
# Longer than one delivery can take, which waits at most _TIMEOUT for each reply.
_CLAIM = timedelta(minutes=10)
_TIMEOUT = 20.0
_BATCH = 50


@dataclass(frozen=True, slots=True)
class Tally:
    """How a run over the outbox went."""

    delivered: int = 0
    failed: int = 0


def deliver_due(settings: Settings, should_stop: Callable[[], bool] = lambda: False) -> Tally:
    """Deliver every message whose time has come, each at most once whoever else delivers too.

    :param should_stop: asked between messages.
    :raises TemporarilyUnavailable: when the database is down.
    """
    delivered = failed = 0
    while True:
        messages = read(lambda: outbox.due(clock.now(), _BATCH))
        for message in messages:
            if should_stop():
                return Tally(delivered, failed)
            is_delivered = _deliver(settings, message)
            delivered += is_delivered is True
            failed += is_delivered is False
        if len(messages) < _BATCH:
            return Tally(delivered, failed)


def _deliver(settings: Settings, message: Message) -> bool | None:
    """Deliver one message and say whether that worked; None when somebody else has it."""
    mark = new_id()
    if not transact(lambda: outbox.claim(message, mark, clock.now() + _CLAIM)):
        return None
    error: str | None = None
    is_final = False
    try:
        _send(settings, message)
    except (OSError, smtplib.SMTPException) as problem:
        error, is_final = _explain(problem), _is_final(problem)
        logger.warning(
            "mail %s was not delivered (try %d): %s", message.id, message.attempts + 1, error
        )
    now = clock.now()
    pause = PAUSES[message.attempts] if message.attempts < len(PAUSES) else None
    due_at: datetime | None = None if error is None or is_final or pause is None else now + pause
    result = Settlement(
        delivered_at=now if error is None else None,
        due_at=due_at,
        error=error,
        # A delivered body would be one more place where a link can be read.
        is_body_kept=error is not None or not settings.is_production,
    )
    transact(lambda: outbox.settle(message, mark, result))
    return error is None


def _send(settings: Settings, message: Message) -> None:
    url = urlsplit(settings.smtp_url.get_secret_value())
    host = url.hostname or "localhost"
    context = ssl.create_default_context()
    name = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    connection: smtplib.SMTP
    if url.scheme == "smtps":
        connection = smtplib.SMTP_SSL(
            host, url.port or 465, name, timeout=_TIMEOUT, context=context
        )
    else:
        connection = smtplib.SMTP(host, url.port or 587, name, timeout=_TIMEOUT)
    with connection as server:
        server.ehlo_or_helo_if_needed()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=_trusting(context, host))
            server.ehlo()
        elif url.scheme == "smtp" and not _is_this_machine(host):
            raise smtplib.SMTPException("the server offers no STARTTLS, so nothing was sent to it")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(_compose(settings, message))


def _compose(settings: Settings, message: Message) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = settings.mail_from
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message.id}@{parseaddr(settings.mail_from)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


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
