"""What the stores return, for the doors, which show it and know nothing of stores."""

from webapp.stores.outbox import Message
from webapp.stores.sessions import Session
from webapp.stores.users import Account

__all__ = ["Account", "Message", "Session"]
