"""The parts that one application is made of, and how the rules get at them."""

from dataclasses import dataclass
from typing import cast

from config import Settings
from webapp.extensions import registered_parts
from webapp.services.keys import KeyRing
from webapp.services.mailer import Mailer
from webapp.services.metrics import Metrics
from webapp.services.openid import OpenIDProviders
from webapp.services.protocols import (
    MailTransport,
    PasswordHasher,
    TokenIssuer,
    TokenSource,
    TokenVerifier,
    UserLookup,
)
from webapp.services.revocations import Revocations
from webapp.services.throttle import Throttle
from webapp.stores.sessions import SessionStore


@dataclass(frozen=True)
class Parts:
    """What the factory puts together once an application; protocols are for hosts to replace."""

    settings: Settings
    keys: KeyRing
    passwords: PasswordHasher
    throttle: Throttle
    sessions: SessionStore
    revocations: Revocations
    mailer: Mailer
    openid: OpenIDProviders
    # None keeps mail in the outbox.
    mail_transport: MailTransport | None
    users: UserLookup
    token_issuer: TokenIssuer
    token_verifier: TokenVerifier
    token_sources: tuple[TokenSource, ...]
    metrics: Metrics


def parts() -> Parts:
    """Return the parts of the application at hand."""
    return cast(Parts, registered_parts())
