"""Mail that tells a person what happened to their account; each part of a transaction."""

from datetime import datetime

from webapp import clock
from webapp.services.client import Client, describe_user_agent
from webapp.services.mailer import exact_time
from webapp.services.one_time_tokens import LIFETIMES, Purpose, issue
from webapp.services.parts import parts
from webapp.stores.sessions import Session
from webapp.stores.users import Account

FORGOT = "/forgot-password"


def password_changed(account: Account, client: Client) -> None:
    """Tell that the password is another one."""
    _send(account, "password_changed", client, reset_link=_link(FORGOT))


def new_sign_in(account: Account, session: Session, client: Client) -> None:
    """Tell of a sign-in from a device that is new, with the link "this was not me"."""
    token = issue(Purpose.NOT_ME, account.id, subject=session.id)
    _send(account, "new_sign_in", client, link=_link(f"/not-me?token={token}"))


def email_change_requested(account: Account, new_email: str, client: Client) -> None:
    """Tell the present address that the account is to move to another one."""
    links = {"account_link": _link("/account/security"), "reset_link": _link(FORGOT)}
    _send(account, "email_change_requested", client, new_email=new_email, **links)


def email_change_taken(holder: Account, client: Client) -> None:
    """Tell whoever has an account that somebody wanted to move theirs to its address."""
    links = {"sign_in_link": _link("/login"), "reset_link": _link(FORGOT)}
    _send(holder, "email_change_taken", client, **links)


def email_changed(account: Account, new_email: str, undo_token: str, client: Client) -> None:
    """Tell the old address that the account has moved, with the link that takes it back.

    :param account: as it was before, with the old address.
    """
    _send(
        account,
        "email_changed",
        client,
        new_email=new_email,
        undo_link=_link(f"/undo-email-change?token={undo_token}"),
        undo_days=LIFETIMES[Purpose.UNDO_EMAIL_CHANGE].days,
    )


def email_change_undone(account: Account, email: str, client: Client) -> None:
    """Tell one of the two addresses that the account has moved back."""
    _send(account, "email_change_undone", client, to=email, reset_link=_link(FORGOT))


def identity_linked(account: Account, provider: str, client: Client) -> None:
    """Tell that a provider signs in to the account from now on.

    :param provider: what people know it by.
    """
    links = {"connections_link": _link("/account/connections"), "reset_link": _link(FORGOT)}
    _send(account, "identity_linked", client, provider=provider, **links)


def identity_unlinked(account: Account, provider: str, client: Client) -> None:
    """Tell that a provider does not sign in to the account any more."""
    _send(account, "identity_unlinked", client, provider=provider, reset_link=_link(FORGOT))


def prove_address(account: Account, provider: str, token: str, hours: int, client: Client) -> None:
    """Mail the link that proves an address to somebody whom a provider has sent.

    :param account: the one that there is or will be.
    """
    link = _link(f"/auth/address/confirm?token={token}")
    _send(account, "prove_address", client, provider=provider, link=link, expires_hours=hours)


def address_has_account(account: Account, provider: str, client: Client) -> None:
    """Tell whoever has an account that somebody wanted to sign in to it with a provider."""
    _send(account, "address_has_account", client, provider=provider, sign_in_link=_link("/login"))


def account_deleted(account: Account, erased_at: datetime, client: Client) -> None:
    """Tell that the account will be erased, and how to keep it."""
    moment = exact_time(erased_at)
    _send(account, "account_deleted", client, erased_at=moment, sign_in_link=_link("/login"))


def account_waiting(account: Account, erased_at: datetime, client: Client) -> None:
    """Tell whoever signs up again that signing in brings their account back."""
    moment = exact_time(erased_at)
    _send(account, "account_waiting", client, erased_at=moment, sign_in_link=_link("/login"))


def _send(account: Account, template: str, client: Client, to: str = "", **context: object) -> None:
    parts().mailer.send(
        template,
        account,
        to,
        when=exact_time(clock.now()),
        requested_from=str(client),
        device=describe_user_agent(client.user_agent),
        ip=client.ip,
        **context,
    )


def _link(path: str) -> str:
    return parts().mailer.link(path)
