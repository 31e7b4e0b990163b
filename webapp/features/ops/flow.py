"""What operators and other services ask."""

from datetime import datetime, timedelta
from functools import partial

from webapp import clock
from webapp.services import audit, policy
from webapp.services.client import Client
from webapp.services.delivery import Tally, deliver_due
from webapp.services.one_time_tokens import LIFETIMES, Purpose
from webapp.services.parts import parts
from webapp.stores import health, one_time_tokens, outbox, sessions, users
from webapp.stores.outbox import Message
from webapp.stores.transactions import read, transact

_BATCH = 500
# Longer than an access token lasts, so that the revocation snapshot misses nothing, and than the
# link "this was not me", whose page tells of the session.
_KEPT_FOR = LIFETIMES[Purpose.NOT_ME] + timedelta(days=1)


def check_stores() -> None:
    """Make sure that the database answers and is migrated.

    :raises TemporarilyUnavailable: when it does not, or is not.
    """
    read(health.check)


def public_keys() -> dict[str, list[dict[str, str]]]:
    """Return the keys that tokens verify with, as a JWK Set."""
    return parts().keys.jwks()


def prune_sessions() -> int:
    """Delete sessions that ended or expired over eight days ago, and expired links; say how many.

    In small transactions, so that nobody's refresh waits; safe to run twice at once.
    """
    before = clock.now() - max(_KEPT_FOR, 2 * parts().settings.access_token_expires)
    transact(lambda: one_time_tokens.prune(before))
    total = 0
    while count := transact(lambda: sessions.prune(before, _BATCH)):
        total += count
    return total


def prune_accounts() -> int:
    """Erase the accounts whose owners deleted them over 14 days ago; say how many.

    One transaction an account; whoever signs in at that very moment keeps theirs.
    """
    before = clock.now() - policy.DELETED_KEPT_FOR
    total = 0
    while found := read(lambda: users.waiting_to_be_erased(before, _BATCH)):
        total += sum(transact(partial(_erase, user_id, before)) for user_id in found)
    return total


def list_mail(is_failed: bool) -> list[Message]:
    """Return the newest messages, or those that failed and are not delivered."""
    return read(lambda: outbox.undelivered(_BATCH) if is_failed else outbox.latest(_BATCH))


def _erase(user_id: str, before: datetime) -> bool:
    if not users.erase(user_id, before):
        return False
    sessions.erase_of(user_id)
    outbox.erase_of(user_id)
    audit.record("account_erased", Client(ip="", user_agent="command line"), user_id=user_id)
    return True


def deliver_mail() -> Tally:
    """Deliver every message whose time has come, beside whoever else delivers.

    :raises TemporarilyUnavailable: when the database is down.
    """
    return deliver_due(parts().settings)
