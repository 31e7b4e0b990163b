"""Tokens that this process has verified or signed, so that the next request need not verify them.

Verifying an EdDSA signature takes longer than all else that a request with a token needs. What is
remembered is what the token said, and by which key; whether its session goes on, and of which
generation a refresh token is, is asked each time.
"""

import threading
from dataclasses import dataclass
from hashlib import sha256

from webapp import clock
from webapp.services.claims import AccessClaims, RefreshClaims
from webapp.services.signing_keys import SigningKey

# About 7 MB a process at most; who is forgotten is verified once more.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token says, until when (seconds since 1970), and the key that it was verified with."""

    claims: AccessClaims | RefreshClaims
    expires_at: float
    key: SigningKey


class VerifiedTokens:
    """A bounded memory of tokens, by the digest of the whole of them.

    One with a bit changed has another digest, so that a forged token is never found here; and the
    tokens themselves are not kept.
    """

    def __init__(self, most: int = MOST) -> None:
        """Begin with none; `most` is how many are remembered."""
        self._most = most
        self._by_digest: dict[bytes, Verified] = {}
        self._lock = threading.Lock()

    def find(self, encoded: str) -> Verified | None:
        """Return what was remembered of a token that has not expired, or None."""
        found = self._by_digest.get(_digest(encoded))
        if found is None or found.expires_at <= clock.now().timestamp():
            return None
        return found

    def remember(self, encoded: str, verified: Verified) -> None:
        """Keep what a token says; the one that was verified the longest ago makes room for it."""
        digest = _digest(encoded)
        with self._lock:
            if digest not in self._by_digest and len(self._by_digest) >= self._most:
                del self._by_digest[next(iter(self._by_digest))]
            self._by_digest[digest] = verified

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._by_digest)


def _digest(encoded: str) -> bytes:
    return sha256(encoded.encode("utf-8", "surrogatepass")).digest()
