"""Secrets: random ones, their digests, and keys derived from SECRET_KEY for one purpose each."""

import hashlib
import hmac
import secrets
from functools import lru_cache


def new_secret() -> str:
    """Return 32 random bytes as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is kept of a random secret: SHA-256 in hex; no salt, as it cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=16)
def derive_key(secret_key: str, purpose: str) -> bytes:
    """Return a key of 32 bytes that serves one purpose alone."""
    return hmac.digest(secret_key.encode(), f"latchkey {purpose}".encode(), "sha256")
