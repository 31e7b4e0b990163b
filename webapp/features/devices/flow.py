"""Where somebody is signed in: seen, ended, and disowned."""

from webapp import clock
from webapp.errors import LinkInvalid, NotFound
from webapp.services import audit, one_time_tokens, sessions
from webapp.services.client import Client
from webapp.services.one_time_tokens import Purpose
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims
from webapp.stores import users
from webapp.stores.sessions import Session
from webapp.stores.transactions import read, transact


def list_sessions(claims: AccessClaims) -> list[Session]:
    """Return the living sessions of whoever is signed in, the last used first."""
    return read(lambda: parts().sessions.list_of(claims.user_id, clock.now()))


def end_session(session_id: str, claims: AccessClaims, client: Client) -> None:
    """End one of one's own sessions.

    :raises NotFound: when it is somebody else's, has ended, or never was: not told apart.
    """
    if not transact(lambda: _end(session_id, claims, client)):
        raise NotFound


def end_other_sessions(claims: AccessClaims, client: Client) -> None:
    """End all of one's own sessions but the present one."""

    def work() -> None:
        sessions.end_all_of(claims.user_id, "ended_by_owner", but=claims.session_id)
        audit.record(
            "other_sessions_ended", client, user_id=claims.user_id, session_id=claims.session_id
        )

    transact(work)


def look_at_not_me(token: str) -> Session:
    """Return the session that a link would end; uses nothing up.

    :raises LinkInvalid: when it does not work (any more).
    """

    def look() -> Session:
        found = one_time_tokens.peek(token, Purpose.NOT_ME)
        session = parts().sessions.find(found.subject)
        if session is None:
            raise LinkInvalid
        return session.session

    return read(look)


def disown(token: str, client: Client) -> str:
    """End the session that was not its owner's, and begin a reset of the password.

    :returns: the token of the reset, for whoever has just shown that they read the mail.
    :raises LinkInvalid: when it does not work (any more).
    """
    return transact(lambda: _disown(token, client))


def _end(session_id: str, claims: AccessClaims, client: Client) -> bool:
    is_ended = sessions.end_of(session_id, claims.user_id, "ended_by_owner")
    if is_ended:
        audit.record("session_ended", client, user_id=claims.user_id, session_id=session_id)
    return is_ended


def _disown(token: str, client: Client) -> str:
    found = one_time_tokens.use(token, Purpose.NOT_ME)
    account = users.find(found.user_id)
    if account is None or account.is_disabled:
        raise LinkInvalid
    users.forget_devices(account.id, clock.now())
    sessions.end(found.subject, "not_me")
    audit.record("session_disowned", client, user_id=account.id, session_id=found.subject)
    return one_time_tokens.issue(Purpose.RESET_PASSWORD, account.id)
