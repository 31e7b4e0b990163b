"""All that is kept about one person, as one JSON document."""

from datetime import datetime
from typing import Any

from webapp import clock
from webapp.services.access import account_of
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims
from webapp.stores import audit, identities, one_time_tokens, outbox
from webapp.stores.transactions import read
from webapp.stores.users import Account

# More than anybody has; a bound all the same.
MOST_EVENTS = 10_000


def export(claims: AccessClaims) -> dict[str, Any]:
    """Return it, with times in RFC 3339; what is secret is left out, what it is is said.

    :raises TokenRevoked: when the account or the session has ended.
    """
    account = account_of(claims)
    return read(lambda: _collect(account))


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "email": account.email,
        "email_verified_at": _time(account.email_verified_at),
        "name": account.name,
        "roles": list(account.roles),
        "created_at": _time(account.created_at),
        "updated_at": _time(account.updated_at),
        "last_sign_in_at": _time(account.last_sign_in_at),
        "has_password": account.password_hash is not None,
    }


def _collect(account: Account) -> dict[str, Any]:
    return {
        "exported_at": _time(clock.now()),
        "account": _shown(account),
        "identities": [
            {
                "provider": identity.provider,
                "subject": identity.subject,
                "email": identity.email,
                "linked_at": _time(identity.linked_at),
                "last_used_at": _time(identity.last_used_at),
            }
            for identity in identities.all_of(account.id)
        ],
        "sessions": [
            {
                "id": session.id,
                "created_at": _time(session.created_at),
                "last_used_at": _time(session.last_used_at),
                "expires_at": _time(session.expires_at),
                "ended_at": _time(session.ended_at),
                "ip": session.ip,
                "user_agent": session.user_agent,
            }
            for session in parts().sessions.all_of(account.id)
        ],
        "links": [
            {
                "purpose": token.purpose,
                "email": token.email,
                "created_at": _time(token.created_at),
                "expires_at": _time(token.expires_at),
            }
            for token in one_time_tokens.all_of(account.id)
        ],
        "events": [
            {
                "at": _time(event.at),
                "event": event.event,
                "session_id": event.session_id,
                "ip": event.ip,
                "user_agent": event.user_agent,
                "detail": event.detail,
            }
            for event in audit.latest_of(account.id, MOST_EVENTS)
        ],
        "mail": [
            {"subject": message.subject, "created_at": _time(message.created_at)}
            for message in outbox.all_of(account.id)
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
