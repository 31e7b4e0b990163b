"""Reading the outbox in development."""

from webapp.errors import NotFound
from webapp.stores import outbox
from webapp.stores.outbox import Message
from webapp.stores.transactions import read

SHOWN = 50


def list_messages(recipient_contains: str = "") -> list[Message]:
    """Return the newest 50 messages, newest first."""
    return read(lambda: outbox.latest(SHOWN, recipient_contains))


def get_message(message_id: str) -> Message:
    """Return one message.

    :raises NotFound: when there is none.
    """
    message = read(lambda: outbox.find(message_id))
    if message is None:
        raise NotFound
    return message
