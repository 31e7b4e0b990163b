"""What every way of signing in ends with: the session, its line in the audit trail, the notice."""

from dataclasses import dataclass

from webapp.services import audit, notices, sessions
from webapp.services.client import Client
from webapp.services.sessions import SignedIn
from webapp.stores.users import Account


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody came in."""

    # RFC 8176, separated by spaces.
    amr: str
    # For the audit trail: `password`, or a provider's id.
    method: str
    is_persistent: bool
    is_device_known: bool
    # The session that this browser had before, if any.
    replaces: str | None = None


def complete(account: Account, entry: Entry, client: Client) -> SignedIn:
    """Begin the session of somebody who has proved who they are, part of a transaction.

    :param account: as it was before this sign-in was noted, its row being held.
    """
    signed_in = sessions.start(
        account,
        client,
        amr=entry.amr,
        is_persistent=entry.is_persistent,
        replaces=entry.replaces,
    )
    audit.record(
        "account_restored" if account.is_deleted else "signed_in",
        client,
        user_id=account.id,
        session_id=signed_in.session.id,
        detail=entry.method,
    )
    # The first sign-in of all is from a new device, and no news.
    if not entry.is_device_known and account.last_sign_in_at is not None:
        notices.new_sign_in(account, signed_in.session, client)
    return signed_in
