"""What administrators see and do beside the accounts themselves: sessions, audit log, outbox."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from webapp import clock
from webapp.errors import FieldError, NotFound, ValidationFailed
from webapp.services import audit, sessions
from webapp.services.client import Client
from webapp.services.paging import PAGE, Page, decode_cursor, page_of
from webapp.services.parts import parts
from webapp.stores import audit as audit_store
from webapp.stores import identities, outbox, roles, users
from webapp.stores.audit import AuditEvent, Wanted
from webapp.stores.identities import LinkedIdentity
from webapp.stores.outbox import Message
from webapp.stores.sessions import Session
from webapp.stores.transactions import on_commit, read, transact
from webapp.stores.users import Account

SHOWN_EVENTS = 20


@dataclass(frozen=True, slots=True)
class Dossier:
    """One account with what is to be known to look after it."""

    account: Account
    identities: list[LinkedIdentity]
    sessions: list[Session]
    events: list[AuditEvent]
    # The addresses of whoever those events name, by id.
    people: dict[str, str]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which part of the audit log is wanted, as typed; days are whole ones, in UTC."""

    event: str = ""
    person: str = ""
    first_day: str = ""
    last_day: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """A page of the audit log, and the addresses of whoever it names, by id."""

    page: Page[AuditEvent]
    people: dict[str, str]


def get_dossier(user_id: str) -> Dossier:
    """Return an account with its living sessions and its newest events.

    :raises NotFound: when there is no such account.
    """

    def work() -> Dossier:
        account = users.find(user_id)
        if account is None:
            raise NotFound
        events = audit_store.latest_of(user_id, SHOWN_EVENTS)
        return Dossier(
            account,
            identities.all_of(user_id),
            parts().sessions.list_of(user_id, clock.now()),
            events,
            _people_in(events),
        )

    return read(work)


def list_roles() -> list[str]:
    """Return the roles that can be given."""
    return read(roles.names)


def end_session(user_id: str, session_id: str, client: Client, actor_id: str) -> None:
    """Sign somebody out on one device; it is no error when that has happened already."""

    def work() -> None:
        if sessions.end_of(session_id, user_id, "ended_by_admin"):
            audit.record(
                "user_session_ended",
                client,
                user_id=user_id,
                actor_id=actor_id,
                session_id=session_id,
            )

    transact(work)


def end_sessions(user_id: str, client: Client, actor_id: str) -> None:
    """Sign somebody out everywhere."""

    def work() -> None:
        if sessions.end_all_of(user_id, "ended_by_admin"):
            audit.record("user_sessions_ended", client, user_id=user_id, actor_id=actor_id)

    transact(work)


def list_events(wanted: Filter, cursor: str = "") -> Log:
    """Return a page of the audit log, the newest first.

    :raises ValidationFailed: when a day is none, or the cursor is none of this list.
    """
    since, until = _day("first_day", wanted.first_day), _day("last_day", wanted.last_day)
    before: tuple[datetime, str] | None = None
    if cursor:
        at, event_id = decode_cursor(cursor, 2)
        before = _moment(at), event_id

    def work() -> Log:
        person = wanted.person.replace("\0", "").strip()
        found = Wanted(
            event=wanted.event,
            person_id=_id_of(person) if person else None,
            since=since,
            until=until + timedelta(days=1) if until else None,
        )
        rows = audit_store.newest(found, before, PAGE + 1)
        page = page_of(rows, PAGE, lambda event: [event.at.isoformat(), event.id])
        return Log(page, _people_in(page.items))

    return read(work)


def list_mail(is_failed_only: bool, cursor: str = "") -> Page[Message]:
    """Return a page of the outbox, the newest first.

    :param is_failed_only: only what has failed and is not delivered.
    :raises ValidationFailed: when the cursor is none of this list.
    """
    before = decode_cursor(cursor, 1)[0] if cursor else ""
    rows = read(lambda: outbox.newest(before, PAGE + 1, is_failed_only))
    return page_of(rows, PAGE, lambda message: [message.id])


def get_mail(message_id: str) -> Message:
    """Return one message.

    :raises NotFound: when there is none.
    """
    message = read(lambda: outbox.find(message_id))
    if message is None:
        raise NotFound
    return message


def retry_mail(message_id: str, client: Client, actor_id: str) -> None:
    """Have a message that was given up tried again, from the first pause on.

    :raises NotFound: when there is none, or it is not given up (any more).
    """

    def work() -> None:
        message = outbox.find(message_id)
        if message is None or not outbox.retry(message_id, clock.now()):
            raise NotFound
        on_commit(parts().mailer.wake)
        audit.record(
            "mail_retried",
            client,
            user_id=message.user_id,
            actor_id=actor_id,
            detail=message.template,
        )

    transact(work)


def _people_in(events: list[AuditEvent]) -> dict[str, str]:
    ids = {one for event in events for one in (event.user_id, event.actor_id) if one}
    return users.emails_of(ids)


def _id_of(person: str) -> str:
    """Return whom an address or an id means; nobody's id when there is no such address."""
    if "@" in person:
        account = users.find_by_email(person.lower())
        return account.id if account else "-"
    # An id finds the events of an account that is erased, too.
    return person if person.isascii() else "-"


def _day(field: str, typed: str) -> datetime | None:
    if not typed:
        return None
    try:
        return datetime.combine(date.fromisoformat(typed), time(), UTC)
    except ValueError:
        message = "Write the day like 2026-01-31."
        raise ValidationFailed(FieldError(field, "invalid_day", message)) from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        message = "Take a cursor as the list gave it, or none to begin."
        raise ValidationFailed(FieldError("cursor", "invalid_cursor", message)) from None
