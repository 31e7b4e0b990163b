"""Parts of a host's own, given when an application is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from flask import Flask

from config import SettingsError
from webapp.services.protocols import (
    MailTransport,
    PasswordHasher,
    SessionStore,
    TokenIssuer,
    TokenSource,
    TokenVerifier,
    UserLookup,
)

T = TypeVar("T")

# The part itself, or what makes it once the application is there to be asked for its configuration.
Own: TypeAlias = T | Callable[[Flask], T]


@dataclass(frozen=True, kw_only=True)
class OwnParts:
    """What a host brings along, one part at a time; whatever is None stays as it is.

    Each is an object, or a factory (a class, a function) that is called once with the host's
    application, or with Latchkey's own where there is no host.
    """

    users: Own[UserLookup] | None = None
    passwords: Own[PasswordHasher] | None = None
    token_issuer: Own[TokenIssuer] | None = None
    token_verifier: Own[TokenVerifier] | None = None
    # In the order in which they are asked: "header", "cookie", "json", "query", or one's own.
    token_sources: Sequence[str | Own[TokenSource]] = ("header", "cookie")
    mail_transport: Own[MailTransport] | None = None
    sessions: Own[SessionStore] | None = None


def made(kind: type[object], given: Own[T] | None, app: Flask) -> T | None:
    """Return a part, made by its factory if it is one; None when there is none.

    :param kind: the protocol that it has to keep.
    :raises SettingsError: when it does not.
    """
    if given is None:
        return None
    is_ready = isinstance(given, kind) and not isinstance(given, type)
    part = given if is_ready or not callable(given) else given(app)
    if not isinstance(part, kind):
        raise SettingsError(f"{given!r} does not make a {kind.__name__}: see docs/extending.md.")
    return part  # type: ignore[return-value]
