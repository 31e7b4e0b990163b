"""Signing keys: where they come from, and which one a token names by its `kid`."""

import base64
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from config import INSTANCE, Settings, SettingsError

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True)
class SigningKey:
    """One key under its `kid`, the RFC 7638 thumbprint, which is the same on every node.

    `signs` and `verifies` are one and the same secret for HS256.
    """

    kid: str
    signs: PrivateKey | str
    verifies: PublicKey | str
    jwk: Mapping[str, str] | None


class KeyRing:
    """The key that signs, and all that still verify."""

    def __init__(self, keys: list[SigningKey]) -> None:
        """Take the keys, the signing one last."""
        self.signing = keys[-1]
        self._by_kid = {key.kid: key for key in keys}

    def find(self, kid: object) -> SigningKey | None:
        """Return the key that a token's header names, or None; a `kid` is looked up, never read."""
        return self._by_kid.get(kid) if isinstance(kid, str) else None

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys as a JWK Set (RFC 7517); empty for HS256."""
        return {"keys": [dict(key.jwk) for key in self._by_kid.values() if key.jwk]}


def load_keys(settings: Settings, instance: Path = INSTANCE) -> KeyRing:
    """Take the keys from where the settings say, making one in development if there is none.

    :raises SettingsError: when a key does not parse or does not suit JWT_ALGORITHM.
    """
    if settings.jwt_algorithm == "HS256":
        secret = settings.jwt_secret.get_secret_value()
        return KeyRing([_from_secret(secret or make_secret_file(instance / "jwt_secret"))])
    if pem := settings.jwt_private_key.get_secret_value():
        pem = pem.replace("\\n", "\n")
        return KeyRing([_from_pem(pem, settings.jwt_algorithm, "JWT_PRIVATE_KEY")])
    directory = Path(settings.keys_dir) if settings.keys_dir else instance / "keys"
    files = _key_files(directory, settings.jwt_algorithm)
    if not files and not settings.is_production:
        _make_key_file(directory, settings.jwt_algorithm)
        files = _key_files(directory, settings.jwt_algorithm)
    if not files:
        raise SettingsError(f"KEYS_DIR {directory} holds no {settings.jwt_algorithm} key (*.pem).")
    return KeyRing(
        [_from_pem(file.read_text(), settings.jwt_algorithm, f"The key {file}") for file in files]
    )


def make_secret_file(path: Path) -> str:
    """Return the secret in a file, making it when there is none; safe in several processes."""
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(48))
    return path.read_text()


def _key_files(directory: Path, algorithm: str) -> list[Path]:
    prefix = algorithm.lower()
    files = [file for file in directory.glob("*.pem") if _suits(file, prefix)]
    return sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))


def _suits(file: Path, prefix: str) -> bool:
    """Whether a file is for this algorithm: ours say so in their names, others are taken as is."""
    ours = file.name.split("-")[0] in ("eddsa", "es256", "rs256")
    return not ours or file.name.startswith(prefix)


def _make_key_file(directory: Path, algorithm: str) -> None:
    key: PrivateKey
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
    _write_once(directory / f"{algorithm.lower()}-first.pem", pem.decode())


def _write_once(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all, never over another one."""
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.link(temporary, path)
    except FileExistsError:
        pass  # Another process of ours was quicker; its file is as good.
    finally:
        os.unlink(temporary)


def _from_secret(secret: str) -> SigningKey:
    kid = hashlib.sha256(f"latchkey kid {secret}".encode()).hexdigest()[:16]
    return SigningKey(kid, secret, secret, None)


def _from_pem(pem: str, algorithm: str, name: str) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{name} is not a private key in PEM without a password.") from None
    jwk: dict[str, Any]
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm == "EdDSA":
        jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey) and algorithm == "ES256":
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, rsa.RSAPrivateKey) and algorithm == "RS256":
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        raise SettingsError(f"{name} is not a key for JWT_ALGORITHM={algorithm}.")
    members = ("crv", "e", "kty", "n", "x", "y")
    required: dict[str, str] = {name: jwk[name] for name in members if name in jwk}
    kid = _thumbprint(required)
    return SigningKey(
        kid, key, key.public_key(), {**required, "kid": kid, "use": "sig", "alg": algorithm}
    )


def _thumbprint(required: Mapping[str, str]) -> str:
    """RFC 7638: the digest of the required members, sorted, without white space."""
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return (
        base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    )
