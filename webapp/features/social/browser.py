"""What a browser carries through a sign-in with a provider: two kinds of signed cookies.

An attempt is one cookie for each, so that tabs do not disturb one another, and lasts ten minutes.
An identity waits in another one for an hour, until its person has proved an account or an address.
"""

import logging
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any, Literal

from flask import Response
from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.doors import cookies
from webapp.doors.pages.paths import own
from webapp.errors import AttemptExpired, NotFound
from webapp.features.social.address import PROOF_LIFETIME
from webapp.features.social.flow import ATTEMPT_LIFETIME
from webapp.features.social.identity import Identity
from webapp.services.parts import parts

logger = logging.getLogger(__name__)

Intent = Literal["sign_in", "connect", "reauthenticate"]

_ATTEMPT, _WAITING = "oauth_", "identity"
# Those that somebody left lie around until they expire; more than these tabs nobody has open.
_MOST_ATTEMPTS = 5
_LONGEST_NEXT = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to a provider, begun by this browser."""

    provider: str
    state: str
    intent: Intent
    next: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An identity that waits, and what marks the browser that it came to."""

    identity: Identity
    browser_secret: str
    next: str


def place_attempt(response: Response, attempt: Attempt) -> None:
    """Note an attempt in the browser, dropping the oldest where there are many.

    SameSite=Lax whatever COOKIE_SAMESITE says: the browser comes back from another site, and a
    cookie that is held back then would be of no use.
    """
    # A long way on would make many attempts too large for a request's head.
    target = attempt.next if len(attempt.next) <= _LONGEST_NEXT else own("/account")
    value = _serializer(_ATTEMPT).dumps([attempt.provider, attempt.state, attempt.intent, target])
    _set(response, _name(attempt.state), value, ATTEMPT_LIFETIME)
    for name in list(_living_attempts())[: -(_MOST_ATTEMPTS - 1)]:
        _set(response, name, "", timedelta(0))


def find_attempt(provider_id: str, state: str) -> Attempt:
    """Return the attempt that a provider's reply belongs to.

    :raises AttemptExpired: when this browser began none like it, at this provider, in time.
    """
    value = cookies.hidden_cookies(_ATTEMPT).get(_name(state), "")
    found = _load_attempt(value)
    if found is None or found.state != state or found.provider != provider_id:
        error = AttemptExpired("no attempt of this browser goes with it")
        logger.warning("sign-in with %s: %s: %s", provider_id, error.code, error.cause)
        raise error
    return found


def forget_attempt(response: Response, state: str) -> None:
    """Take an attempt's cookie away."""
    _set(response, _name(state), "", timedelta(0))


def place_waiting(response: Response, waiting: Waiting) -> None:
    """Have an identity wait in the browser."""
    content = [astuple(waiting.identity), waiting.browser_secret, waiting.next]
    _set(response, _WAITING, _serializer(_WAITING).dumps(content), PROOF_LIFETIME)


def find_waiting() -> Waiting | None:
    """Return the identity that waits in this browser, if there is one."""
    content = _load(_WAITING, cookies.hidden_cookies(_WAITING).get(_WAITING, ""), PROOF_LIFETIME)
    if content is None:
        return None
    identity, browser_secret, target = content
    return Waiting(Identity(*identity), browser_secret, target)


def require_waiting() -> Waiting:
    """Return the identity that waits in this browser.

    :raises NotFound: when there is none (any more).
    """
    found = find_waiting()
    if found is None:
        raise NotFound
    return found


def forget_waiting(response: Response) -> None:
    """Take the identity that waits away."""
    _set(response, _WAITING, "", timedelta(0))


def _living_attempts() -> dict[str, str]:
    """Return the attempts of this browser, the oldest first; those that have expired count too."""
    found = cookies.hidden_cookies(_ATTEMPT)
    return dict(sorted(found.items(), key=lambda item: _made_at(item[1])))


def _made_at(value: str) -> float:
    try:
        _, made_at = _serializer(_ATTEMPT).loads(value, return_timestamp=True)
    except BadData:
        return 0.0
    return float(made_at.timestamp())


def _load_attempt(value: str) -> Attempt | None:
    content = _load(_ATTEMPT, value, ATTEMPT_LIFETIME)
    return Attempt(*content) if content else None


def _load(purpose: str, value: str, lifetime: timedelta) -> Any:
    try:
        return _serializer(purpose).loads(value, max_age=int(lifetime.total_seconds()))
    except BadData:
        return None


def _name(state: str) -> str:
    return _ATTEMPT + "".join(char for char in state[:12] if char.isascii() and char.isalnum())


def _set(response: Response, name: str, value: str, lifetime: timedelta) -> None:
    cookies.set_hidden(response, name, value, lifetime, same_site="Lax")


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    secret = parts().settings.secret_key.get_secret_value()
    return URLSafeTimedSerializer(secret, salt=f"provider {purpose}")
