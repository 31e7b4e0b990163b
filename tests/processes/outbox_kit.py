"""The outbox as the tests fill it, empty it and look into it."""

from datetime import datetime

from apiflask import APIFlask

from tests.support import make_settings, parts_of
from webapp import clock
from webapp.services.delivery import Tally, deliver_due
from webapp.services.ids import new_id
from webapp.services.smtp import SmtpTransport
from webapp.stores import outbox
from webapp.stores.outbox import Message
from webapp.stores.transactions import read, transact


def put(app: APIFlask, count: int = 1, recipient: str = "alice@example.com") -> list[str]:
    """Put messages in that are due at once; returns their ids.

    The application itself has no SMTP_URL, so that nothing but the test delivers them.
    """
    now = clock.now()
    messages = [
        Message(
            id=new_id(),
            template="verify_email",
            user_id=new_id(),
            recipient=recipient,
            subject="Confirm your address",
            text="Grüße: https://id.example.org/verify-email?token=abc\n",
            html="<p>Grüße</p>",
            created_at=now,
            attempts=0,
            due_at=now,
        )
        for _ in range(count)
    ]
    with app.app_context():
        transact(lambda: _add(messages))
    return [message.id for message in messages]


def _add(messages: list[Message]) -> None:
    for message_ in messages:
        outbox.add(message_)


def message(app: APIFlask) -> Message:
    """Return the newest message as it stands in the outbox."""
    with app.app_context():
        return read(lambda: outbox.latest(1))[0]


def due_at(app: APIFlask) -> datetime:
    """Return when the newest message may be tried again."""
    moment = message(app).due_at
    assert moment is not None, "it is not to be tried again"
    return moment


def deliver(app: APIFlask, smtp_url: str, **overrides: object) -> Tally:
    """Deliver what is due, as a process with this SMTP_URL does."""
    database_url = parts_of(app).settings.database_url
    settings = make_settings(database_url, smtp_url=smtp_url, **overrides)
    with app.app_context():
        return deliver_due(settings, SmtpTransport(settings))
