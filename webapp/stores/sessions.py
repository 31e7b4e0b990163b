"""What a session is, and what a place to keep sessions can do: in SQL or in Redis."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from webapp.stores.users import Account


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in on one device, and one token family."""

    id: str
    user_id: str
    created_at: datetime
    last_used_at: datetime
    authenticated_at: datetime
    amr: str
    expires_at: datetime
    is_persistent: bool
    ip: str
    user_agent: str
    generation: int = 1
    parent: int | None = None
    rotated_at: datetime | None = None
    changed_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    # Which of its owner's epochs it belongs to; the store sees to it.
    epoch: int = 0

    def in_epoch(self, epoch: int, now: datetime) -> "Session":
        """Return it as it is in this epoch of its owner: ended, when all of its own were."""
        if self.ended_at or self.epoch >= epoch:
            return self
        return replace(self, ended_at=now, changed_at=now)


@dataclass(frozen=True, slots=True)
class Found:
    """A session, whose it is, and what the store's clock said when it was read."""

    session: Session
    account: Account
    now: datetime


@runtime_checkable
class SessionStore(Protocol):
    """Where sessions are kept; the rules say what is to be done, a store how.

    Every method that changes something is called inside a transaction (`transact`). A store in
    the database takes part in it. One beside it does its part at once, in an order that fails
    closed, and does it once however often the transaction has to run again. Whatever store it
    is: a session that ended stays so, whoever is told that one ended finds it in `changed_since`
    too, and :class:`TemporarilyUnavailable` is raised within seconds when it is down.

    Sessions belong to an epoch of their owner, which stands with the account and moves on when
    all of them are ended. One of an earlier epoch is dead, whatever a store that lost writes, or
    that somebody moved away from, remembers of it.
    """

    def add(self, session: Session) -> None:
        """Insert a new session; its owner's account has to be held by then."""

    def find(self, session_id: str) -> Found | None:
        """Return a session with its account and the store's time, in one reading; or None."""

    def advance(self, before: Session, after: Session) -> bool:
        """Compare and swap: move a living session on if its generation is still what was read.

        :returns: False when somebody else was quicker, be it with a rotation or with its end;
            read again in a new transaction and decide again.
        """

    def set_authenticated(self, session_id: str, now: datetime) -> bool:
        """Note that its owner has shown the password again; False when the session has ended."""

    def end(self, session_id: str, reason: str) -> bool:
        """End one session; False when it had ended already."""

    def end_of(self, session_id: str, user_id: str, reason: str) -> bool:
        """End one session if it is this person's; False when it is not, or had ended already."""

    def end_all_of(self, user_id: str, reason: str, but: str | None = None) -> int:
        """End every session of one person, but one where it is named; say how many there were."""

    def list_of(self, user_id: str, now: datetime) -> list[Session]:
        """Return a person's living sessions, the last used first."""

    def all_of(self, user_id: str) -> list[Session]:
        """Return every session that is kept of a person, be it ended or expired, oldest first."""

    def erase_of(self, user_id: str) -> None:
        """Delete every session of a person who is erased."""

    def changed_since(self, moment: datetime) -> list[tuple[str, datetime, bool]]:
        """Return (id, changed at, is ended) of sessions ended or changed since a moment.

        In one round trip, on a connection of its own, whatever transaction is going on.
        """

    def note_change_of(self, user_id: str) -> None:
        """Have the access tokens of a person's living sessions expire: what they say has changed.

        The change itself is part of the same transaction.
        """

    def prune(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` sessions that ended or expired before this moment; say how many."""
