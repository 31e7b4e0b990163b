"""The parts that a host may replace by its own: what each has to do, and nothing more.

docs/extending.md shows one of each. They are called in Latchkey's application context, by several
threads at a time.
"""

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol, runtime_checkable

from webapp.services.claims import AccessClaims, RefreshClaims
from webapp.services.passwords import Verification
from webapp.stores.sessions import Session, SessionStore
from webapp.stores.users import Account

__all__ = [
    "AccessVerifier",
    "MailTransport",
    "NotDelivered",
    "PasswordHasher",
    "SessionStore",
    "TokenIssuer",
    "TokenSource",
    "TokenVerifier",
    "UserLookup",
]


@runtime_checkable
class UserLookup(Protocol):
    """Finds accounts for whoever signs in, asks for a link, refreshes or shows a token.

    An account needs its row in Latchkey's table, where sessions and roles belong to it; a look-up
    may make it (:func:`webapp.stores.users.add`), refuse it (None), or say more of it.
    """

    def by_subject(self, user_id: str, stored: Account | None = None) -> Account | None:
        """Return the account that a token's `sub` names, or None when it is not to be let in.

        :param stored: its row, where that was read already.
        """

    def by_address(self, email: str) -> Account | None:
        """Return the account with this normalized address, or None."""


@runtime_checkable
class PasswordHasher(Protocol):
    """Hashes and verifies; what it stores is its own affair, up to 120 characters."""

    def hash(self, password: str) -> str:
        """Return what to store for a new password."""

    def verify(self, password: str, stored: str | None) -> Verification:
        """Compare a password with what is stored.

        :param stored: None where there is no account or no password: work as hard all the same,
            or the time it takes tells who has an account.
        """


@runtime_checkable
class TokenIssuer(Protocol):
    """Makes the tokens of a session."""

    def issue_access(
        self, account: Account, session: Session, now: datetime
    ) -> tuple[str, timedelta]:
        """Return an access token and how long it lasts."""

    def issue_refresh(self, session: Session, now: datetime) -> str:
        """Return a refresh token that names the session and its current generation."""


@runtime_checkable
class AccessVerifier(Protocol):
    """Reads access tokens."""

    def read_access(self, encoded: str, allow_expired: bool = False) -> AccessClaims:
        """Return what a token says.

        :raises TokenExpired: when its time is over, unless that is allowed.
        :raises TokenInvalid: for whatever else is no access token.
        """


@runtime_checkable
class TokenVerifier(AccessVerifier, Protocol):
    """Reads refresh tokens, too."""

    def read_refresh(self, encoded: str) -> RefreshClaims:
        """Return what a token says.

        :raises TokenExpired: when its time is over.
        :raises TokenInvalid: for whatever else is no refresh token.
        """


@runtime_checkable
class TokenSource(Protocol):
    """A place in a request where an access token may be."""

    @property
    def is_sent_unasked(self) -> bool:
        """Whether browsers send it by themselves, so that changing something needs more."""

    def find(self) -> str | None:
        """Return the token of the request at hand; None when there is none in this place."""


class NotDelivered(Exception):
    """A message did not go out: the reason, for the log and the outbox."""

    def __init__(self, reason: str, is_final: bool = False) -> None:
        """Take the reason, and whether trying again is no use."""
        super().__init__(reason)
        self.reason = " ".join(reason.split())[:300]
        self.is_final = is_final


@runtime_checkable
class MailTransport(Protocol):
    """Sends one message."""

    def send(self, mail: EmailMessage) -> None:
        """Hand a message over, composed in full, with a text and an HTML body.

        :raises NotDelivered: when that did not work; an OSError counts as one to try again.
        """
