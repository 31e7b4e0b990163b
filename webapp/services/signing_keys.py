"""One signing key: read from PEM or from a secret, named by its `kid`, and made anew."""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from config import SettingsError

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

ALWAYS = datetime.fromtimestamp(0, UTC)
_BLOCK = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----.*?-----END [A-Z ]+-----", re.S)


@dataclass(frozen=True)
class SigningKey:
    """One key under its `kid`, the RFC 7638 thumbprint, which is the same on every node.

    `signs` and `verifies` are one and the same secret for HS256. `signs_from` is when it takes
    over from the key before it, and `source` where it comes from, for people.
    """

    kid: str
    signs: PrivateKey | str
    verifies: PublicKey | str
    jwk: Mapping[str, str] | None
    signs_from: datetime = ALWAYS
    source: str = ""


def key_of(text: str, algorithm: str, name: str) -> SigningKey:
    """Read a key: a secret for HS256, a private key in PEM for the others.

    :param name: what to call it in a complaint.
    :raises SettingsError: when it does not parse or does not suit the algorithm.
    """
    if algorithm == "HS256":
        return _from_secret(text.strip(), name)
    return _from_pem(text, algorithm, name)


def blocks_of(pem: str) -> list[str]:
    """Return the private keys that stand one after the other in a PEM text; at least one."""
    return _BLOCK.findall(pem) or [pem]


def make_key(algorithm: str) -> str:
    """Return a new key as it is kept in a file."""
    key: PrivateKey
    if algorithm == "HS256":
        return secrets.token_urlsafe(48)
    if algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    elif algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()


def _from_secret(secret: str, name: str) -> SigningKey:
    if not secret:
        raise SettingsError(f"{name} is empty.")
    kid = hashlib.sha256(f"latchkey kid {secret}".encode()).hexdigest()[:16]
    return SigningKey(kid, secret, secret, None, source=name)


def _from_pem(pem: str, algorithm: str, name: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(blocks_of(pem)[0].encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{name} is not a private key in PEM without a password.") from None
    jwk: dict[str, Any]
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm == "EdDSA":
        jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey) and algorithm == "ES256" and _is_p256(key):
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, rsa.RSAPrivateKey) and algorithm == "RS256" and key.key_size >= 2048:
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        raise SettingsError(f"{name} is not a key for JWT_ALGORITHM={algorithm}.")
    members = ("crv", "e", "kty", "n", "x", "y")
    required: dict[str, str] = {name: jwk[name] for name in members if name in jwk}
    kid = _thumbprint(required)
    published = {**required, "kid": kid, "use": "sig", "alg": algorithm}
    return SigningKey(kid, key, key.public_key(), published, source=name)


def _is_p256(key: ec.EllipticCurvePrivateKey) -> bool:
    return isinstance(key.curve, ec.SECP256R1)


def _thumbprint(required: Mapping[str, str]) -> str:
    """RFC 7638: the digest of the required members, sorted, without white space."""
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return (
        base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    )
