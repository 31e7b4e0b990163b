"""A person with sessions, for tests that ask a session store itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from apiflask import APIFlask

from tests.account_kit import add_unproved
from tests.support import parts_of
from webapp import clock
from webapp.services.ids import new_id
from webapp.stores.sessions import Found, Session, SessionStore
from webapp.stores.transactions import change, read, transact

T = TypeVar("T")


class Person:
    """Somebody with an account and the store that keeps their sessions."""

    def __init__(
        self, app: APIFlask, email: str = "alice@example.com", user_id: str | None = None
    ) -> None:
        self.app = app
        self.id = user_id or add_unproved(app, email)

    @property
    def store(self) -> SessionStore:
        return parts_of(self.app).sessions

    def within(self, work: Callable[[], T]) -> T:
        """Do something in a transaction of its own."""
        with self.app.app_context():
            return transact(work)

    def begin(self, **values: object) -> Session:
        """Begin a session."""
        session = replace(new_session(self.id), **values)  # type: ignore[arg-type]
        self.within(lambda: self.store.add(session))
        return session

    def find(self, session: Session) -> Found | None:
        with self.app.app_context():
            return read(lambda: self.store.find(session.id))

    def advance(self, before: Session, after: Session) -> bool:
        """Compare and swap, in one statement by itself as a refresh does."""
        with self.app.app_context():
            return change(lambda: self.store.advance(before, after))

    def is_alive(self, session: Session) -> bool:
        found = self.find(session)
        return found is not None and found.session.ended_at is None

    def told(self, since: datetime | None = None) -> set[str]:
        """Return which sessions the revocation snapshot would know to have ended."""
        since = since or clock.now() - timedelta(minutes=15)
        with self.app.app_context():
            changes = self.store.changed_since(since)
        return {session_id for session_id, _, is_ended in changes if is_ended}


def new_session(user_id: str) -> Session:
    """Return a session as a sign-in would begin it."""
    now = clock.now()
    return Session(
        id=new_id(),
        user_id=user_id,
        created_at=now,
        last_used_at=now,
        authenticated_at=now,
        amr="pwd otp",
        expires_at=now + timedelta(days=30),
        is_persistent=True,
        ip="2001:db8::1",
        user_agent="Zoë’s browser 🦀",
    )
