"""What the stores return, for the doors, which show it and know nothing of stores."""

from webapp.stores.audit import AuditEvent
from webapp.stores.identities import LinkedIdentity
from webapp.stores.outbox import Message
from webapp.stores.people import Person
from webapp.stores.sessions import Session, SessionStore
from webapp.stores.users import Account

__all__ = [
    "Account",
    "AuditEvent",
    "LinkedIdentity",
    "Message",
    "Person",
    "Session",
    "SessionStore",
]
