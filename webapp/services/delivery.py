"""Delivery of the outbox: each message claimed first, then sent, then settled.

Of all processes that deliver at a time, one gets a message. Should that one be killed between
the server's yes and writing it down, the message goes out again once the claim has run out, under
the same Message-ID, so that mailboxes can tell; losing it would be worse.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from config import Settings
from webapp import clock
from webapp.services.ids import new_id
from webapp.services.protocols import MailTransport, NotDelivered
from webapp.stores import outbox
from webapp.stores.outbox import Message, Settlement
from webapp.stores.transactions import read, transact

logger = logging.getLogger(__name__)

# After the first failure, the second, …; then it is given up, after almost two days.
PAUSES = tuple(
    timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400)
)
# Longer than one delivery can take, which waits at most 20 s for each reply.
_CLAIM = timedelta(minutes=10)
_BATCH = 50


@dataclass(frozen=True, slots=True)
class Tally:
    """How a run over the outbox went."""

    delivered: int = 0
    failed: int = 0


def deliver_due(
    settings: Settings, transport: MailTransport, should_stop: Callable[[], bool] = lambda: False
) -> Tally:
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
            is_delivered = _deliver(settings, transport, message)
            delivered += is_delivered is True
            failed += is_delivered is False
        if len(messages) < _BATCH:
            return Tally(delivered, failed)


def _deliver(settings: Settings, transport: MailTransport, message: Message) -> bool | None:
    """Deliver one message and say whether that worked; None when somebody else has it."""
    mark = new_id()
    if not transact(lambda: outbox.claim(message, mark, clock.now() + _CLAIM)):
        return None
    error: str | None = None
    is_final = False
    try:
        transport.send(_compose(settings, message))
    except NotDelivered as problem:
        error, is_final = problem.reason, problem.is_final
    except OSError as problem:
        error = NotDelivered(f"{type(problem).__name__}: {problem}").reason
    if error:
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
