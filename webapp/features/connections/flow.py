"""Linking providers with one's account, and unlinking them; the last way in stays."""

from webapp.errors import AlreadyLinked, LastSignInMethod, NotFound
from webapp.features.social import flow as social
from webapp.features.social.identity import Identity
from webapp.services import audit, notices, reauthentication
from webapp.services.access import account_of
from webapp.services.client import Client
from webapp.services.tokens import AccessClaims
from webapp.stores import identities, users
from webapp.stores.identities import LinkedIdentity
from webapp.stores.transactions import read, transact
from webapp.stores.users import Account


def list_identities(claims: AccessClaims) -> list[LinkedIdentity]:
    """Return what one's own account is linked with, by provider."""
    return read(lambda: identities.all_of(claims.user_id))


def link(identity: Identity, claims: AccessClaims, client: Client) -> None:
    """Have an identity sign in to one's own account from now on.

    :raises ReauthenticationRequired: when the sign-in is older than ten minutes.
    :raises AlreadyLinked: when it signs in to another account, or this one has another one of the
        same provider.
    """
    reauthentication.check_recent_sign_in(claims)
    account = account_of(claims)
    transact(lambda: _link(identity, account, claims, client))


def unlink(provider_id: str, claims: AccessClaims, client: Client) -> None:
    """Have a provider not sign in to one's own account any more.

    :raises ReauthenticationRequired: when the sign-in is older than ten minutes.
    :raises NotFound: when it does not.
    :raises LastSignInMethod: when nobody could get in without it.
    """
    reauthentication.check_recent_sign_in(claims)
    account = account_of(claims)
    transact(lambda: _unlink(provider_id, account, claims, client))


def _link(identity: Identity, account: Account, claims: AccessClaims, client: Client) -> None:
    known = identities.find(identity.provider, identity.subject)
    if known and known.user_id == account.id:
        return
    linked = {item.provider for item in identities.all_of(account.id)}
    if known or identity.provider in linked:
        raise AlreadyLinked
    social.link(identity, account.id)
    if identity.name and not account.name:
        users.set_name(account.id, identity.name)
    audit.record(
        "identity_linked",
        client,
        user_id=account.id,
        session_id=claims.session_id,
        detail=identity.provider,
    )
    notices.identity_linked(account, label_of(identity.provider), client)


def _unlink(provider_id: str, account: Account, claims: AccessClaims, client: Client) -> None:
    # The account's row first: two who each unlink one of two ways would else both succeed.
    users.hold(account.id)
    if all(item.provider != provider_id for item in identities.all_of(account.id)):
        raise NotFound
    if not identities.remove(account.id, provider_id):
        raise LastSignInMethod
    audit.record(
        "identity_unlinked",
        client,
        user_id=account.id,
        session_id=claims.session_id,
        detail=provider_id,
    )
    notices.identity_unlinked(account, label_of(provider_id), client)


def label_of(provider_id: str) -> str:
    """Return what people know a provider by, also once it is not set up any more."""
    labels = {provider.id: provider.label for provider in social.list_providers()}
    return labels.get(provider_id, provider_id)
