"""Signing keys: a new one takes over, an old one goes once nothing that it signed is left."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config import Settings
from webapp import clock
from webapp.errors import TemporarilyUnavailable
from webapp.services import audit
from webapp.services.client import Client
from webapp.services.key_directory import PUBLISHED_BEFORE, KeyDirectory
from webapp.services.parts import parts
from webapp.services.signing_keys import SigningKey
from webapp.stores.transactions import transact

logger = logging.getLogger(__name__)

# A worker may sign with the key before for as long as its clock is behind.
_CLOCKS_DIFFER_BY = timedelta(minutes=1)


class KeysRefused(Exception):
    """What was asked of the keys cannot be done; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key and where it stands: waiting to sign, signing, or followed by another one.

    `needed_until` is when the last token that it signed has expired; None while it is the newest.
    """

    key: SigningKey
    is_signing: bool
    needed_until: datetime | None


def list_keys() -> list[KeyState]:
    """Return every key, in the order in which they sign."""
    ring = parts().keys
    keys, signing = ring.all(), ring.signing
    successors = [*keys[1:], None]
    return [
        KeyState(key, key.kid == signing.kid, _needed_until(next_key))
        for key, next_key in zip(keys, successors, strict=True)
    ]


def rotate(delay: timedelta | None, client: Client) -> SigningKey:
    """Make a key that is published at once and signs after a while; the present one verifies on.

    Safe on several nodes at once: each makes a key, all of them verify, and all workers agree on
    the newest one.

    :param delay: between publishing and signing; None for a few seconds, which our own workers
        need to see it.
    :raises KeysRefused: when the keys are not in a directory, or it cannot be written to.
    """
    directory = _directory(_ROTATE_BY_HAND)
    try:
        key = directory.add(PUBLISHED_BEFORE if delay is None else max(delay, PUBLISHED_BEFORE))
    except OSError as error:
        raise _unwritable(directory, error) from None
    _note(lambda: audit.record("key_rotated", client, detail=key.kid))
    return key


def retire(kid: str, is_at_once: bool, client: Client) -> None:
    """Delete a key: from then on it verifies nothing, and is not published any more.

    :param is_at_once: also while tokens that it signed are about, since somebody else has it;
        whoever holds such a token has to sign in again.
    :raises KeysRefused: when there is no such key, when it is the newest or signs still, when
        tokens that it signed may be about, or when the directory cannot be written to.
    """
    directory = _directory(_RETIRE_BY_HAND)
    state = next((state for state in list_keys() if state.key.kid == kid), None)
    if state is None:
        raise KeysRefused(f"There is no key {kid}. See: flask keys list")
    if state.is_signing or state.needed_until is None:
        raise KeysRefused(
            f"{kid} is the key that signs, or the next one to. Run flask keys rotate, and wait "
            "until flask keys list says that another one signs."
        )
    if clock.now() < state.needed_until and not is_at_once:
        raise KeysRefused(
            f"{kid} is needed until {as_text(state.needed_until)}: until then refresh tokens that "
            "it signed may come back. Retire it after that; or now, with --now, if somebody else "
            "has it: whoever it signed in last has to sign in again."
        )
    try:
        directory.remove(kid)
    except OSError as error:
        raise _unwritable(directory, error) from None
    _note(lambda: audit.record("key_retired", client, detail=kid))


def as_text(moment: datetime) -> str:
    """Return a moment for a terminal."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


_ROTATE_BY_HAND = (
    "The keys come from {name}, which no command can change. By hand, without signing anybody out: "
    "put a new {kind} behind the present one in {name}{comma}, restart every node, then put it "
    "first and restart again: the first signs, and all of them verify. Or move to a directory: put "
    "the present {kind} into a file *.{suffix} in it, set KEYS_DIR to it, take {name} away and "
    "restart; from then on flask keys rotate does it."
)
_RETIRE_BY_HAND = (
    "The keys come from {name}, which no command can change. Once the last token has expired that "
    "a {kind} signed, {lasting} after another one became the first, take it out of {name} and "
    "restart."
)


def _directory(by_hand: str) -> KeyDirectory:
    """Return the directory of the keys, or refuse with what to do by hand."""
    directory = parts().keys.directory
    if directory is not None:
        return directory
    settings = parts().settings
    is_secret = settings.jwt_algorithm == "HS256"
    raise KeysRefused(
        by_hand.format(
            name="JWT_SECRET" if is_secret else "JWT_PRIVATE_KEY",
            kind="secret" if is_secret else "key",
            comma=", after a comma" if is_secret else "",
            suffix="secret" if is_secret else "pem",
            lasting=f"{_longest_lived(settings).total_seconds() / 86400:g} days",
        )
    )


def _longest_lived(settings: Settings) -> timedelta:
    """Return how long a token can be good, by the present settings."""
    of_refresh = min(settings.refresh_token_expires, settings.session_lifetime)
    return max(of_refresh, settings.access_token_expires)


def _needed_until(successor: SigningKey | None) -> datetime | None:
    if successor is None:
        return None
    return successor.signs_from + _longest_lived(parts().settings) + _CLOCKS_DIFFER_BY


def _unwritable(directory: KeyDirectory, error: OSError) -> KeysRefused:
    return KeysRefused(
        f"{directory.path} cannot be written to ({error.strerror}). Run this as the user that the "
        "site runs as, where the directory can be written to."
    )


def _note(record: Callable[[], None]) -> None:
    try:
        transact(record)
    except TemporarilyUnavailable:
        # A key that leaked is not kept because the database is down.
        logger.warning("done, but it is not in the audit trail: the database is down")
