"""Sessions: begun at a sign-in, carried on by refreshing, ended at once and everywhere."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from webapp import clock
from webapp.errors import RefreshReused, TokenExpired, TokenRevoked
from webapp.services import audit, refresh_rule, tokens
from webapp.services.client import Client, describe_user_agent
from webapp.services.ids import new_id
from webapp.services.mailer import exact_time
from webapp.services.parts import parts
from webapp.services.refresh_rule import Kind
from webapp.services.tokens import AccessClaims, RefreshClaims
from webapp.stores.sessions import Found, Session
from webapp.stores.transactions import LostRace, change, on_commit, read, transact, until_settled
from webapp.stores.users import Account

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with a fresh pair of tokens, for the door to put where the client wants them."""

    account: Account
    session: Session
    access_token: str
    refresh_token: str
    access_expires_in: timedelta
    refresh_expires_in: timedelta
    # What the browser is to be recognized by at its next sign-in.
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Reauthenticated:
    """A new access token for a session that stays as it is."""

    account: Account
    session: Session
    access_token: str
    access_expires_in: timedelta


@dataclass(frozen=True, slots=True)
class RenewedAccess:
    """A new access token for a session whose refresh token stays as it is."""

    access_token: str
    access_expires_in: timedelta


def start(
    account: Account, client: Client, *, amr: str, is_persistent: bool, replaces: str | None = None
) -> SignedIn:
    """Begin a session, part of a transaction.

    :param amr: how the person proved who they are (RFC 8176), separated by spaces.
    :param is_persistent: whether its cookies outlive the browser.
    :param replaces: the session that this browser had before, which ends (ASVS 7.2.4).
    """
    settings = parts().settings
    now = clock.now()
    session = Session(
        id=new_id(),
        user_id=account.id,
        created_at=now,
        last_used_at=now,
        authenticated_at=now,
        amr=amr,
        expires_at=now + min(settings.refresh_token_expires, settings.session_lifetime),
        is_persistent=is_persistent,
        ip=client.ip,
        user_agent=client.user_agent,
    )
    parts().sessions.add(session)
    if replaces:
        end(replaces, "replaced")
    return _with_tokens(account, session, now)


def refresh(claims: RefreshClaims, client: Client) -> SignedIn:
    """Carry a session on, by the refresh rule.

    Read, decided and swapped, each by itself: the swap is guarded by all that was read of the
    session, so that a transaction around them would promise nothing more, and take two messages.

    :raises TokenRevoked: when the session has ended or is not known.
    :raises TokenExpired: when it has not been used for too long.
    :raises RefreshReused: when the token was used up: the family is revoked by then.
    """
    try:
        return until_settled(lambda: _present(claims, client))
    except (TokenRevoked, TokenExpired) as error:
        parts().metrics.count_refresh(error.code)
        raise


def renew_access(claims: RefreshClaims, client: Client) -> RenewedAccess:
    """Give a new access token for a refresh token that is neither rotated nor prolonged.

    :raises TokenRevoked: when the session has ended or is not known.
    :raises TokenExpired: when it has not been used for too long.
    :raises RefreshReused: when the token was used up: the family is revoked by then.
    """
    found = read(lambda: _find_living(claims))
    grace = parts().settings.refresh_grace
    if refresh_rule.is_used_up(found.session, claims.generation, grace):
        _revoke_family(found, client)
        raise RefreshReused
    return RenewedAccess(*tokens.issue_access(found.account, found.session, found.now))


def reauthenticate(claims: AccessClaims) -> Reauthenticated:
    """Note that the password was shown again, part of a transaction; the session stays.

    :raises TokenRevoked: when it has ended.
    """
    now = clock.now()
    found = parts().sessions.find(claims.session_id)
    if found is None or found.session.ended_at:
        raise TokenRevoked
    if not parts().sessions.set_authenticated(claims.session_id, now):
        raise TokenRevoked
    account = _account_of(found)
    session = replace(found.session, authenticated_at=now)
    access_token, expires_in = tokens.issue_access(account, session, now)
    return Reauthenticated(account, session, access_token, expires_in)


def end(session_id: str, reason: str) -> bool:
    """End one session, part of a transaction; False when it had ended already."""
    on_commit(parts().revocations.expect_change)
    return parts().sessions.end(session_id, reason)


def end_all_of(user_id: str, reason: str, but: str | None = None) -> int:
    """End a person's sessions, but one where it is named; part of a transaction."""
    on_commit(parts().revocations.expect_change)
    return parts().sessions.end_all_of(user_id, reason, but)


def end_of(session_id: str, user_id: str, reason: str) -> bool:
    """End one session if it is this person's; part of a transaction."""
    on_commit(parts().revocations.expect_change)
    return parts().sessions.end_of(session_id, user_id, reason)


def note_change_of(user_id: str) -> None:
    """Have a person's clients refresh, silently, to learn what has changed about their account.

    Part of a transaction, the one that changes it.
    """
    on_commit(parts().revocations.expect_change)
    parts().sessions.note_change_of(user_id)


def _present(claims: RefreshClaims, client: Client) -> SignedIn:
    """Decide on one presentation and carry the decision out.

    :raises LostRace: when the session moved on in between, so that it is to be decided again.
    """
    found = read(lambda: _find_living(claims))
    session: Session | None = found.session
    grace = parts().settings.refresh_grace
    outcome = refresh_rule.decide(found.session, claims.generation, found.now, grace)
    if outcome.is_refused:
        _revoke_family(found, client)
    elif outcome.kind is Kind.FAST_FORWARDED:
        session = transact(lambda: _fast_forward(found, outcome, client))
    elif outcome.is_written:
        session = change(lambda: _advance(found, outcome, client))
    if session is None:
        raise LostRace
    parts().metrics.count_refresh(outcome.kind)
    if outcome.is_refused:
        raise RefreshReused
    return _with_tokens(found.account, session, found.now)


def _fast_forward(found: Found, outcome: refresh_rule.Outcome, client: Client) -> Session | None:
    session = _advance(found, outcome, client)
    if session is not None:
        logger.warning("the store lost writes: session %s goes on from its token", session.id)
        facts = {"user_id": session.user_id, "session_id": session.id}
        audit.record("session_fast_forwarded", client, **facts)
    return session


def _account_of(found: Found) -> Account:
    """Return whose session it is, as the user look-up has them.

    :raises TokenRevoked: when they are not to be let in.
    """
    account = parts().users.by_subject(found.account.id, stored=found.account)
    if account is None or account.is_disabled:
        raise TokenRevoked
    return account


def _find_living(claims: RefreshClaims) -> Found:
    """Return the session that a refresh token is of, and whose it is by the user look-up.

    :raises TokenRevoked: when it has ended, or its owner is not to be let in.
    :raises TokenExpired: when it has not been used for too long.
    """
    found = parts().sessions.find(claims.session_id)
    if found is None or found.session.ended_at or found.session.user_id != claims.user_id:
        raise TokenRevoked
    account = _account_of(found)
    if found.now >= found.session.expires_at:
        raise TokenExpired
    return replace(found, account=account)


def _advance(found: Found, outcome: refresh_rule.Outcome, client: Client) -> Session | None:
    """Compare and swap; None when somebody else was quicker."""
    settings = parts().settings
    before, now = found.session, found.now
    after = replace(
        before,
        generation=outcome.generation,
        parent=outcome.parent,
        rotated_at=now,
        last_used_at=now,
        expires_at=min(
            now + settings.refresh_token_expires, before.created_at + settings.session_lifetime
        ),
        ip=client.ip,
        user_agent=client.user_agent,
    )
    return after if parts().sessions.advance(before, after) else None


def _revoke_family(found: Found, client: Client) -> None:
    """End a session whose token was used a second time, which is committed before the 401."""
    transact(lambda: _end_reused(found, client))


def _end_reused(found: Found, client: Client) -> None:
    session, account = found.session, found.account
    if not end(session.id, "refresh_reused"):
        return  # Somebody ended it between our reading and now; once is enough to tell.
    audit.record("refresh_reused", client, user_id=account.id, session_id=session.id)
    parts().mailer.send(
        "refresh_reused",
        account,
        device=describe_user_agent(session.user_agent),
        when=exact_time(found.now),
        account_link=parts().mailer.link("/account"),
        reset_link=parts().mailer.link("/forgot-password"),
    )


def _with_tokens(account: Account, session: Session, now: datetime) -> SignedIn:
    access_token, access_expires_in = tokens.issue_access(account, session, now)
    return SignedIn(
        account=account,
        session=session,
        access_token=access_token,
        refresh_token=tokens.issue_refresh(session, now),
        access_expires_in=access_expires_in,
        refresh_expires_in=session.expires_at - now,
    )
