"""Signing in by way of a provider: who came back, and what becomes of them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from webapp import clock
from webapp.errors import (
    AttemptExpired,
    FieldError,
    InvalidCredentials,
    LinkRequired,
    NotFound,
    ProviderEmailNotVerified,
    ProviderError,
    ValidationFailed,
)
from webapp.features.social import exchange
from webapp.features.social.configured import configured, find
from webapp.features.social.exchange import Reply
from webapp.features.social.identity import Identity, clean_name
from webapp.features.social.linking import Address, Decision, Holder, decide
from webapp.features.social.provider import Provider
from webapp.services import audit, devices, policy, sessions, sign_ins
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.ownership import give_clean
from webapp.services.parts import parts
from webapp.services.reauthentication import RECENT
from webapp.services.secrets import digest
from webapp.services.sessions import Reauthenticated, SignedIn
from webapp.services.sign_ins import Entry
from webapp.services.tokens import AccessClaims
from webapp.stores import identities, users
from webapp.stores.identities import LinkedIdentity
from webapp.stores.transactions import LostRace, transact
from webapp.stores.users import EVERYBODYS_ROLE, Account

logger = logging.getLogger(__name__)

ATTEMPT_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Native:
    """What a native app holds of somebody's sign-in at a provider."""

    id_token: str | None = None
    access_token: str | None = None
    nonce: str | None = None
    # Apple tells it to the app alone, the first time.
    name: str = ""


def list_providers() -> list[Provider]:
    """Return the providers that are set up, in the order of their buttons."""
    return list(configured(parts().settings).values())


def get_provider(provider_id: str) -> Provider:
    """Return a provider that is set up.

    :raises NotFound: when there is none by this name.
    """
    return find(parts().settings, provider_id)


def begin(provider_id: str, state: str, is_again: bool = False) -> str:
    """Return where at the provider to send somebody.

    :param state: 32 random bytes for this one attempt, bound to the browser by the door.
    :param is_again: have them prove there who they are, even if they are signed in.
    :raises NotFound: when there is no such provider.
    :raises ProviderUnavailable: when it does not answer.
    """
    provider = get_provider(provider_id)
    with _watch(provider):
        return exchange.authorization_url(provider, state, is_again)


def identify(provider_id: str, state: str, reply: Reply, client: Client) -> Identity:
    """Return who came back from a provider, once for each state.

    :param state: of the attempt that this browser began at this provider.
    :raises ProviderError: with a sentence for each way in which it can fail.
    :raises TooManyAttempts: before the provider is asked.
    """
    provider = get_provider(provider_id)
    attempt = parts().throttle.begin_provider_sign_in(client.ip)
    expires_at = clock.now() + 2 * ATTEMPT_LIFETIME
    with _watch(provider, client):
        if not transact(lambda: identities.spend_state(digest(state), expires_at)):
            raise AttemptExpired("the state is used up")
        found = exchange.exchange(provider, reply)
    parts().throttle.forgive(attempt)
    return found


def identify_native(provider_id: str, native: Native, client: Client) -> Identity:
    """Return whose sign-in at a provider a native app holds.

    :raises NotFound: when there is no such provider.
    :raises ValidationFailed: when it is the other kind of token that the provider has.
    :raises ProviderTokenInvalid: when the token is forged, too old, or not for us.
    :raises ProviderUnavailable: when the provider cannot be asked.
    :raises TooManyAttempts: before anything is checked.
    """
    provider = get_provider(provider_id)
    needed = "access_token" if provider.declaration.api else "id_token"
    if not getattr(native, needed):
        message = f"Send what {provider.label} gave the app as its {needed.replace('_', ' ')}."
        raise ValidationFailed(FieldError(needed, "missing", message))
    attempt = parts().throttle.begin_provider_sign_in(client.ip)
    with _watch(provider, client):
        found = exchange.identify_native(
            provider, native.id_token, native.access_token, native.nonce
        )
    parts().throttle.forgive(attempt)
    return replace(found, name=found.name or clean_name(native.name))


def enter(
    identity: Identity, client: Client, is_persistent: bool = True, replaces: str | None = None
) -> SignedIn | Decision:
    """Sign somebody in, by the linking rule, or say what they have to prove before.

    :param replaces: the session that this browser had before, if any.
    :raises InvalidCredentials: when the account is shut.
    """
    return transact(lambda: _enter(identity, client, is_persistent, replaces))


def enter_native(
    identity: Identity, client: Client, is_persistent: bool, replaces: str | None
) -> SignedIn:
    """As :func:`enter`, for clients that can show no page.

    :raises LinkRequired: when the address has an account.
    :raises ProviderEmailNotVerified: when there is no address, or none that is verified.
    """
    result = enter(identity, client, is_persistent, replaces)
    if isinstance(result, SignedIn):
        return result
    raise LinkRequired if result is Decision.PROVE_ACCOUNT else ProviderEmailNotVerified


def reauthenticate(identity: Identity, claims: AccessClaims, client: Client) -> Reauthenticated:
    """Return an access token with a fresh `auth_time` for whoever has come from a provider again.

    :raises AttemptExpired: when the provider says that they signed in there before that.
    :raises NotFound: when that is nobody who signs in to this account.
    :raises TokenRevoked: when the session has ended.
    """
    with _watch(get_provider(identity.provider), client):
        signed_in_at = identity.authenticated_at or clock.now().timestamp()
        if clock.now().timestamp() - signed_in_at > RECENT.total_seconds():
            raise AttemptExpired("the sign-in at the provider is an old one")

    def work() -> Reauthenticated:
        known = identities.find(identity.provider, identity.subject)
        if known is None or known.user_id != claims.user_id:
            raise NotFound
        result = sessions.reauthenticate(claims)
        audit.record(
            "reauthenticated",
            client,
            user_id=claims.user_id,
            session_id=claims.session_id,
            detail=identity.provider,
        )
        return result

    return transact(work)


def _enter(
    identity: Identity, client: Client, is_persistent: bool, replaces: str | None
) -> SignedIn | Decision:
    known = identities.find(identity.provider, identity.subject)
    holder = users.find_by_email(identity.email) if identity.email and not known else None
    decision = decide(known is not None, address_of(identity), holder_of(holder))
    if decision is Decision.PROVE_ACCOUNT and identities.find(identity.provider, identity.subject):
        raise LostRace  # That account was made of this identity, between our two looks.
    if decision is Decision.MAKE_ACCOUNT:
        account = _make_account(identity, client)
    elif decision is Decision.GIVE_CLEAN and holder:
        account = give_clean(holder, identity.name, client)
    elif known:
        account = _account_of(known)
    else:
        audit.record("provider_sign_in_waits", client, detail=f"{identity.provider}: {decision}")
        return decision
    if known is None:
        link(identity, account.id)
    device = devices.recognize(client, account)
    entry = Entry("fed", identity.provider, is_persistent, device is not None, replaces)
    signed_in = sign_ins.complete(account, entry, client)
    return replace(signed_in, device=devices.remember(account, device))


def address_of(identity: Identity) -> Address:
    """Return what the provider says about the address."""
    if identity.email is None:
        return Address.MISSING
    return Address.VERIFIED if identity.email_verified else Address.UNVERIFIED


def holder_of(account: Account | None) -> Holder:
    """Return who has the address; what is shut, waits to be erased or has roles is kept."""
    if account is None:
        return Holder.NOBODY
    is_kept = account.is_disabled or account.is_deleted or account.roles != (EVERYBODYS_ROLE,)
    return Holder.PROVED if account.email_verified or is_kept else Holder.UNPROVED


def link(identity: Identity, user_id: str) -> None:
    """Have an identity sign in to an account from now on, part of a transaction.

    :raises LostRace: when it is linked already; the transaction runs again.
    """
    now = clock.now()
    identities.add(
        LinkedIdentity(identity.provider, identity.subject, user_id, identity.email, now, now)
    )


def _make_account(identity: Identity, client: Client) -> Account:
    now = clock.now()
    account = Account(
        id=new_id(),
        email=identity.email or "",
        email_verified_at=now,
        name=identity.name,
        password_hash=None,
        created_at=now,
        devices_since=now,
    )
    users.add(replace(account, last_sign_in_at=now))
    audit.record("signed_up", client, user_id=account.id, detail=identity.provider)
    return account


def _account_of(known: LinkedIdentity) -> Account:
    """Return the account that an identity signs in to, both rows being held."""
    stored = users.find(known.user_id)
    if stored is None:
        raise LostRace
    account = parts().users.by_subject(stored.id, stored=stored)
    if account is None:
        raise InvalidCredentials
    policy.check_may_sign_in(account)
    now = clock.now()
    # Shut, given other roles or unlinked at this very moment: the next look tells.
    if not (identities.note_sign_in(account, now) and identities.note_use(known, now)):
        raise LostRace
    return account


@contextmanager
def _watch(provider: Provider, client: Client | None = None) -> Iterator[None]:
    """Write down why a step with a provider failed; the person is told no more than what to do."""
    try:
        yield
    except ProviderError as error:
        detail = f"{provider.id}: {error.code}"
        logger.warning("sign-in with %s: %s", detail, error.cause)
        if client:
            transact(lambda: audit.record("provider_sign_in_failed", client, detail=detail))
        raise
