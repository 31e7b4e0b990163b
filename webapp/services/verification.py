"""The link that proves an address: made and mailed in one place for all rooms that ask for it."""

from webapp.services import one_time_tokens
from webapp.services.client import Client
from webapp.services.one_time_tokens import LIFETIMES, Purpose
from webapp.services.parts import parts
from webapp.stores.users import Account


def send_link(account: Account, client: Client, browser_secret: str | None) -> None:
    """Mail a person the link that proves their address, part of a transaction.

    :param browser_secret: marks the browser that may be signed in by it, if there is one.
    """
    token = one_time_tokens.issue(Purpose.VERIFY_EMAIL, account.id, browser_secret=browser_secret)
    mailer = parts().mailer
    mailer.send(
        "verify_email",
        account,
        link=mailer.link(f"/verify-email?token={token}"),
        name=account.name,
        requested_from=str(client),
        expires_hours=int(LIFETIMES[Purpose.VERIFY_EMAIL].total_seconds() // 3600),
    )
