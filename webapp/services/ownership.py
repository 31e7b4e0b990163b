"""An account that nobody had proved comes to whoever proves its address."""

from dataclasses import replace

from webapp import clock
from webapp.services import audit, one_time_tokens, sessions
from webapp.services.client import Client
from webapp.services.one_time_tokens import Purpose
from webapp.stores import identities
from webapp.stores.transactions import LostRace
from webapp.stores.users import Account


def give_clean(account: Account, name: str, client: Client) -> Account:
    """Give an unproved account to whoever has proved its address, part of a transaction.

    Whoever made it may have done so to lie in wait: the password, the sessions, the mailed links,
    a pending change of address and linked identities are void.

    :returns: the account as it is now.
    :raises LostRace: when somebody else proved it meanwhile; the transaction runs again.
    """
    now = clock.now()
    if not identities.give_clean(account, name, now):
        raise LostRace
    sessions.end_all_of(account.id, "given_to_owner")
    one_time_tokens.void(account.id, *Purpose)
    identities.remove_all_of(account.id)
    audit.record("given_to_owner", client, user_id=account.id)
    return replace(
        account,
        email_verified_at=now,
        name=name,
        password_hash=None,
        devices_since=now,
        last_sign_in_at=None,
    )
