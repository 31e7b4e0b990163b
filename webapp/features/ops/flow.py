"""What operators and other services ask."""

from datetime import timedelta

from webapp import clock
from webapp.services.delivery import Tally, deliver_due
from webapp.services.parts import parts
from webapp.stores import health, one_time_tokens, sessions
from webapp.stores.transactions import read, transact

_BATCH = 500
_KEPT_FOR = timedelta(days=1)


def check_stores() -> None:
    """Make sure that the database answers and is migrated.

    :raises TemporarilyUnavailable: when it does not, or is not.
    """
    read(health.check)


def public_keys() -> dict[str, list[dict[str, str]]]:
    """Return the keys that tokens verify with, as a JWK Set."""
    return parts().keys.jwks()


def prune_sessions() -> int:
    """Delete sessions that ended or expired over a day ago, and expired links; say how many.

    In small transactions, so that nobody's refresh waits; safe to run twice at once. A day is more
    than an access token lasts, so that the revocation snapshot misses nothing.
    """
    before = clock.now() - max(_KEPT_FOR, 2 * parts().settings.access_token_expires)
    transact(lambda: one_time_tokens.prune(before))
    total = 0
    while count := transact(lambda: sessions.prune(before, _BATCH)):
        total += count
    return total


def deliver_mail() -> Tally:
    """Deliver every message whose time has come, beside whoever else delivers.

    :raises TemporarilyUnavailable: when the database is down.
    """
    return deliver_due(parts().settings)
