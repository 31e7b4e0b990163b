"""Signing keys: where they come from, which one signs, and which one a token names by its `kid`."""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from config import INSTANCE, Settings, SettingsError
from config_values import split_commas
from webapp import clock
from webapp.services.key_directory import KeyDirectory, make_secret_file
from webapp.services.signing_keys import SigningKey, blocks_of, key_of

__all__ = ["KeyRing", "SigningKey", "load_keys", "make_secret_file"]

logger = logging.getLogger(__name__)

# Seconds between two looks at the directory; the second where a token names a key that we do not
# know: another node may sign with it already, and whoever makes kids up costs us a listing at most.
LOOK_EVERY, LOOK_WHEN_ASKED_EVERY = 2.0, 0.5

_HOW_TO_MAKE_ONE = {
    "EdDSA": "openssl genpkey -algorithm ed25519 -out",
    "ES256": "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out",
    "RS256": "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out",
    "HS256": "openssl rand -hex 48 -out",
}


class KeyRing:
    """The keys in the memory of one process: the one that signs, and all that still verify.

    Keys of a directory are looked at again at most every two seconds, and while they cannot be
    read, those in memory go on.
    """

    def __init__(self, keys: Sequence[SigningKey], directory: KeyDirectory | None = None) -> None:
        """Take the keys in the order in which they sign.

        :param directory: where they come from, if that may change while this process runs.
        """
        self.directory = directory
        self._by_kid = {key.kid: key for key in keys}
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._complaint = ""

    @property
    def signing(self) -> SigningKey:
        """The newest key whose time to sign has come."""
        keys = self.all()
        now = clock.now()
        return next((key for key in reversed(keys) if key.signs_from <= now), keys[0])

    def all(self) -> list[SigningKey]:
        """Return every key, in the order in which they sign."""
        self._look(LOOK_EVERY)
        return list(self._by_kid.values())

    def find(self, kid: object) -> SigningKey | None:
        """Return the key that a token's header names, or None; a `kid` is looked up, never read."""
        if not isinstance(kid, str):
            return None
        self._look(LOOK_EVERY)
        if kid not in self._by_kid:
            self._look(LOOK_WHEN_ASKED_EVERY, patience=1)
        return self._by_kid.get(kid)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK Set (RFC 7517), the next one too; empty for HS256."""
        return {"keys": [dict(key.jwk) for key in self.all() if key.jwk]}

    def _look(self, at_most_every: float, patience: float = 0) -> None:
        """Look at the directory again, unless that was done of late.

        One thread looks and the others go on with what there is, so that a directory that hangs
        (a file server that is gone) takes one thread and not the site.

        :param patience: seconds to wait for a thread that is looking.
        """
        if self.directory is None or time.monotonic() - self._looked_at < at_most_every:
            return
        if not self._lock.acquire(timeout=patience):
            return
        try:
            started_at = time.monotonic()
            if started_at - self._looked_at >= at_most_every:
                self._read(self.directory)
                self._looked_at = started_at
        finally:
            self._lock.release()

    def _read(self, directory: KeyDirectory) -> None:
        complaint = ""
        try:
            keys = directory.read()
            if keys:
                self._by_kid = {key.kid: key for key in keys}
            else:
                complaint = "holds no key any more"
        except OSError as error:
            complaint = f"cannot be read ({error.strerror})"
        if complaint and complaint != self._complaint:
            logger.error(
                "the key directory %s %s: those in memory go on", directory.path, complaint
            )
        self._complaint = complaint


def load_keys(settings: Settings, instance: Path = INSTANCE) -> KeyRing:
    """Take the keys from where the settings say, making one in development if there is none.

    :raises SettingsError: when there is no key, or one in the environment does not parse or does
        not suit JWT_ALGORITHM.
    """
    algorithm = settings.jwt_algorithm
    if given := _in_environment(settings):
        name = "JWT_SECRET" if algorithm == "HS256" else "JWT_PRIVATE_KEY"
        # The first one signs; all of them verify.
        return KeyRing([key_of(text, algorithm, name) for text in reversed(given)])
    path = Path(settings.keys_dir) if settings.keys_dir else instance / "keys"
    directory = KeyDirectory(path, algorithm)
    keys = _first_read(directory)
    if not keys and not settings.is_production:
        directory.add_first()
        keys = _first_read(directory)
    if not keys:
        kind = "secret" if algorithm == "HS256" else "pem"
        raise SettingsError(
            f"KEYS_DIR {path} holds no {algorithm} key (*.{kind}) that can be read. "
            f"Make one with: {_HOW_TO_MAKE_ONE[algorithm]} {path}/first.{kind}"
        )
    return KeyRing(keys, directory)


def _in_environment(settings: Settings) -> list[str]:
    """Return the keys that the settings hold themselves, the signing one first."""
    if settings.jwt_algorithm == "HS256":
        return list(split_commas(settings.jwt_secret.get_secret_value()))
    pem = settings.jwt_private_key.get_secret_value().replace("\\n", "\n")
    if pem.startswith("/"):
        try:
            pem = Path(pem).read_text()
        except (OSError, ValueError):
            raise SettingsError("JWT_PRIVATE_KEY names a file that cannot be read.") from None
    return blocks_of(pem) if pem else []


def _first_read(directory: KeyDirectory) -> list[SigningKey]:
    try:
        return directory.read()
    except OSError:
        return []
