"""Proving an address that the provider gives not at all, or has not verified."""

import hmac
from dataclasses import dataclass
from datetime import timedelta

from webapp import clock
from webapp.errors import LinkInvalid
from webapp.features.social import flow
from webapp.features.social.identity import Identity
from webapp.features.social.linking import Decision, Holder
from webapp.services import audit, notices
from webapp.services.addresses import normalize_email
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.parts import parts
from webapp.services.secrets import digest, new_secret
from webapp.services.sessions import SignedIn
from webapp.stores import identities, users
from webapp.stores.identities import AddressProof
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account

PROOF_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a link would prove, and whether it can in this browser."""

    email: str
    provider_label: str
    is_browser_right: bool


def ask_for_proof(identity: Identity, email: str, browser_secret: str, client: Client) -> None:
    """Mail a link to an address; nobody learns whether it has an account.

    :param browser_secret: marks the browser that came from the provider: the link works there
        alone, or somebody could have another person prove an address for them.
    :raises ValidationFailed: when that is no address.
    :raises TooManyAttempts: when there were too many mails to it, or from here.
    """
    email = normalize_email(email)
    parts().throttle.count_mail(client.ip, email)
    transact(lambda: _ask(identity, email, browser_secret, client))


def look_at_link(token: str, browser_secret: str | None) -> Proof:
    """Say what a link would prove; uses nothing up.

    :raises LinkInvalid: when it does not work (any more).
    """
    found = read(lambda: _find(token))
    label = flow.get_provider(found.provider).label
    return Proof(found.email, label, _is_same_browser(found, browser_secret))


def prove(
    token: str, browser_secret: str | None, client: Client, replaces: str | None = None
) -> SignedIn | Decision:
    """Sign in whoever came from the provider, the address being proved now.

    :param replaces: the session that this browser had before, if any.
    :raises LinkInvalid: when the link does not work (any more), or not in this browser.
    """
    return transact(lambda: _prove(token, browser_secret, client, replaces))


def _ask(identity: Identity, email: str, browser_secret: str, client: Client) -> None:
    label = flow.get_provider(identity.provider).label
    holder = users.find_by_email(email)
    audit.record("address_proof_requested", client, user_id=holder.id if holder else None)
    if holder and flow.holder_of(holder) is Holder.PROVED:
        notices.address_has_account(holder, label, client)
        return
    now, token = clock.now(), new_secret()
    account = holder or Account(new_id(), email, None, identity.name, None, now, now)
    identities.replace_proof(
        AddressProof(
            provider=identity.provider,
            subject=identity.subject,
            digest=digest(token),
            user_id=account.id,
            email=email,
            name=identity.name,
            browser_digest=digest(browser_secret),
            expires_at=now + PROOF_LIFETIME,
        )
    )
    hours = int(PROOF_LIFETIME.total_seconds() // 3600)
    notices.prove_address(account, label, token, hours, client)


def _prove(
    token: str, browser_secret: str | None, client: Client, replaces: str | None
) -> SignedIn | Decision:
    found = _find(token)
    if not _is_same_browser(found, browser_secret):
        raise LinkInvalid
    if not identities.use_proof(found.digest, clock.now()):
        raise LinkInvalid
    identity = Identity(found.provider, found.subject, found.email, True, found.name)
    return flow.enter(identity, client, replaces=replaces)


def _find(token: str) -> AddressProof:
    found = identities.find_proof(digest(token), clock.now())
    if found is None:
        raise LinkInvalid
    return found


def _is_same_browser(found: AddressProof, browser_secret: str | None) -> bool:
    return bool(browser_secret) and hmac.compare_digest(
        found.browser_digest, digest(browser_secret or "")
    )
