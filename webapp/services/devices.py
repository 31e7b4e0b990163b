"""Devices that somebody has signed in from before, recognized by a cookie for each account.

The cookie is signed, names the account and says when it was given; it is no credential and
opens nothing. An account's `devices_since` makes strangers of all that were given before.
"""

from itsdangerous import BadData, TimestampSigner

from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.parts import parts
from webapp.stores.users import Account


def recognize(client: Client, account: Account | None) -> str | None:
    """Return the id of a device that this person has signed in from before, or None."""
    if account is None:
        return None
    for value in client.devices:
        try:
            named, given_at = _signer().unsign(value, return_timestamp=True)
        except BadData:
            continue
        user_id, _, device_id = named.decode().partition("/")
        if user_id == account.id and given_at >= account.devices_since.replace(microsecond=0):
            return device_id
    return None


def remember(account: Account, device_id: str | None) -> str:
    """Return what the browser is to be recognized by next time."""
    return _signer().sign(f"{account.id}/{device_id or new_id()}").decode()


def _signer() -> TimestampSigner:
    return TimestampSigner(parts().settings.secret_key.get_secret_value(), salt="device")
