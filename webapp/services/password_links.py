"""Links to set a password: made and mailed in one place for all rooms that send them."""

from webapp.services import one_time_tokens
from webapp.services.client import Client
from webapp.services.one_time_tokens import LIFETIMES, Purpose
from webapp.services.parts import parts
from webapp.stores.users import Account


def send_reset_link(account: Account, client: Client) -> None:
    """Mail a person the link that sets a new password, part of a transaction."""
    _send("reset_password", account, requested_from=str(client))


def send_first_link(account: Account) -> None:
    """Mail a person whom an administrator made an account for the link to its first password."""
    forgot = parts().mailer.link("/forgot-password")
    _send("account_made", account, name=account.name, forgot_link=forgot)


def _send(template: str, account: Account, **context: str) -> None:
    mailer = parts().mailer
    token = one_time_tokens.issue(Purpose.RESET_PASSWORD, account.id)
    mailer.send(
        template,
        account,
        link=mailer.link(f"/reset-password?token={token}"),
        minutes=int(LIFETIMES[Purpose.RESET_PASSWORD].total_seconds() // 60),
        **context,
    )
