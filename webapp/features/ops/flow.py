"""What operators and other services ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from webapp import clock
from webapp.errors import TemporarilyUnavailable
from webapp.services import audit, policy
from webapp.services.client import Client
from webapp.services.delivery import Tally, deliver_due
from webapp.services.metrics import gauge
from webapp.services.parts import parts
from webapp.services.session_stores import kept_for, move_sides
from webapp.stores import audit as audit_store
from webapp.stores import deletions, health, identities, one_time_tokens, outbox
from webapp.stores.audit import AuditEvent, Wanted
from webapp.stores.outbox import Message
from webapp.stores.session_moves import Side
from webapp.stores.sessions import Session
from webapp.stores.transactions import read, transact

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """How many sessions there were, of how many something was new, and are they gone here."""

    seen: int
    news: int
    is_final: bool


def check_stores() -> None:
    """Make sure that the database answers and is migrated, and that the session store does.

    :raises TemporarilyUnavailable: when one does not, or is not.
    """
    read(health.check)
    parts().sessions.changed_since(clock.now())


def public_keys() -> dict[str, list[dict[str, str]]]:
    """Return the keys that tokens verify with, as a JWK Set."""
    return parts().keys.jwks()


def measurements() -> bytes:
    """Return what monitoring reads, also while the database is down: that is when it counts."""
    try:
        backlog = read(outbox.backlog)
    except TemporarilyUnavailable:
        return parts().metrics.render(gauge("database_up", "Whether the database answers.", 0))
    age = (clock.now() - backlog.since).total_seconds() if backlog.since else 0
    return parts().metrics.render(
        gauge("database_up", "Whether the database answers.", 1),
        gauge("mail_waiting", "Messages in the outbox that are not delivered yet.", backlog.count),
        gauge("mail_waiting_seconds", "How long the oldest of them has been there.", max(age, 0)),
    )


def prune_sessions() -> int:
    """Delete sessions that ended or expired over eight days ago, and expired links; say how many.

    In small transactions, so that nobody's refresh waits; safe to run twice at once.
    """
    before = clock.now() - kept_for(parts().settings)
    transact(lambda: one_time_tokens.prune(before))
    transact(lambda: identities.prune(before))
    total = 0
    while count := transact(lambda: parts().sessions.prune(before, _BATCH)):
        total += count
    return total


def move_sessions(to: str) -> Moved:
    """Copy every session that has not expired to another store, and what is new of those there.

    The site may run meanwhile, on either store. Once it runs on the store that is moved to, the
    sessions are deleted from the other one, in small transactions.

    :param to: `sql` or `redis`.
    :raises TemporarilyUnavailable: when a store is down; what was moved by then stays so.
    """
    source, target = move_sides(parts().settings, to)
    is_final = parts().settings.session_store == to
    seen = news = 0
    for batch in source.walk(_BATCH):
        seen += len(batch)
        news += transact(partial(_take_over, target, batch))
        if is_final:
            transact(partial(_let_go, source, batch))
    return Moved(seen, news, is_final)


def prune_accounts() -> int:
    """Erase the accounts whose owners deleted them over 14 days ago; say how many.

    One transaction an account; whoever signs in at that very moment keeps theirs.
    """
    before = clock.now() - policy.DELETED_KEPT_FOR
    total = 0
    while found := read(lambda: deletions.waiting_to_be_erased(before, _BATCH)):
        total += sum(transact(partial(_erase, user_id, before)) for user_id in found)
    return total


def export_events(since: datetime | None) -> Iterator[AuditEvent]:
    """Return the audit trail, the newest first, read in pages so that no lock is held for long.

    :param since: leave out what happened before.
    """
    wanted = Wanted(since=since)
    before: tuple[datetime, str] | None = None
    while found := read(partial(audit_store.newest, wanted, before, _BATCH)):
        yield from found
        before = found[-1].at, found[-1].id


def list_mail(is_failed: bool) -> list[Message]:
    """Return the newest messages, or those that failed and are not delivered."""
    return read(lambda: outbox.undelivered(_BATCH) if is_failed else outbox.latest(_BATCH))


def _take_over(target: Side, batch: list[Session]) -> int:
    return sum(target.take_over(session) for session in batch)


def _let_go(source: Side, batch: list[Session]) -> None:
    for session in batch:
        source.let_go(session)


def _erase(user_id: str, before: datetime) -> bool:
    if not deletions.erase(user_id, before):
        return False
    parts().sessions.erase_of(user_id)
    outbox.erase_of(user_id)
    audit.record("account_erased", Client(ip="", user_agent="command line"), user_id=user_id)
    return True


def deliver_mail() -> Tally:
    """Deliver every message whose time has come, beside whoever else delivers.

    :raises TemporarilyUnavailable: when the database is down.
    """
    transport = parts().mail_transport
    return deliver_due(parts().settings, transport) if transport else Tally()
