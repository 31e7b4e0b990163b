"""What a deployer would be given by each provider: the one app that is registered there."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from config import ProviderSettings, Settings
from webapp.services.secrets import derive_key

# The order of P-256's base point (FIPS 186-5, SP 800-186): a private key is less than it.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def client_of(name: str, settings: Settings) -> ProviderSettings:
    """Return the app that a pretend provider knows: this one.

    All of it follows from SECRET_KEY, so that every worker says the same.

    :param name: one of FAKE_PROVIDERS.
    """
    if name == "apple":
        return ProviderSettings(
            client_id="pretend-apple",
            issuer=issuer_of(name, settings),
            team_id="PRETEND",
            key_id="PRETEND",
            private_key=SecretStr(_as_pem(apple_key_of(settings))),
        )
    return ProviderSettings(
        client_id=f"pretend-{name}",
        client_secret=SecretStr(_derive(name, settings).hex()),
        issuer=issuer_of(name, settings),
    )


def issuer_of(name: str, settings: Settings) -> str:
    """Return where a pretend provider lives, which is also its `iss`."""
    return f"{settings.root_url}/dev/providers/{name}"


def apple_key_of(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """Return the key that client secrets for Apple are made with."""
    number = int.from_bytes(_derive("apple", settings)) % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def _derive(name: str, settings: Settings) -> bytes:
    return derive_key(settings.secret_key.get_secret_value(), f"pretend provider {name}")


def _as_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
