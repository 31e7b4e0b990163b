"""What settings have to be like together: what cannot work, and what production refuses."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from config_providers import FAKES
from config_values import (
    DRIVERS,
    MAKE_ONE,
    ORIGIN,
    redis_problems,
    scheme_of,
    split_commas,
    weakness,
)

if TYPE_CHECKING:
    from config import Settings


def problems_of(settings: "Settings") -> list[str]:
    """Say what cannot work, in development either."""
    found = []
    if not ORIGIN.fullmatch(settings.base_url):
        found.append("BASE_URL has to be an origin such as https://id.example.org, no path.")
    if settings.cookie_samesite == "None" and not settings.base_url.startswith("https://"):
        found.append("COOKIE_SAMESITE=None needs an https BASE_URL; browsers refuse it else.")
    if not all(map(ORIGIN.fullmatch, settings.cors_origins)):
        found.append("CORS_ORIGINS takes exact origins such as https://app.example.org, not *.")
    if scheme_of(settings.database_url) not in DRIVERS:
        found.append("DATABASE_URL has to be sqlite:///…, postgresql://… or mysql://….")
    found += redis_problems(settings.redis_url, settings.session_store)
    if settings.smtp_url and scheme_of(settings.smtp_url.get_secret_value()) not in (
        "smtp",
        "smtps",
    ):
        found.append("SMTP_URL has to be like smtp://user:pass@mail.example.org:587.")
    if not re.fullmatch(r"[^\x00-\x1f]*@[^\s@<>]+>?", settings.mail_from):
        found.append("MAIL_FROM has to be an address such as no-reply@example.org.")
    if unknown := set(settings.fake_providers) - set(FAKES):
        found.append(f"FAKE_PROVIDERS takes {', '.join(FAKES)}, not {', '.join(unknown)}.")
    if settings.jwt_algorithm == "HS256" and settings.jwt_private_key.get_secret_value():
        found.append("JWT_ALGORITHM=HS256 signs with JWT_SECRET; take JWT_PRIVATE_KEY away.")
    return found


def weaknesses_of(settings: "Settings") -> list[str]:
    """Say what production refuses."""
    found = []
    found += _weak("SECRET_KEY", (settings.secret_key.get_secret_value(),))
    found += _weak(
        "REVOCATIONS_TOKENS", split_commas(settings.revocations_tokens.get_secret_value())
    )
    if not settings.base_url.startswith("https://"):
        found.append("BASE_URL has to be https in production: set it to your public origin.")
    if settings.fake_providers:
        found.append("FAKE_PROVIDERS lets anybody sign in as anybody: take it away.")
    for name, provider in settings.providers.items():
        if provider.issuer.startswith("http:"):
            found.append(f"The issuer of {name} has to be https in production.")
    if settings.bcrypt_cost < 10:
        found.append("BCRYPT_COST has to be 10 or more in production; leave it out for 12.")
    if settings.jwt_algorithm == "HS256":
        secrets = split_commas(settings.jwt_secret.get_secret_value())
        found += _weak("JWT_SECRET", secrets or (() if settings.keys_dir else ("",)))
    elif not (settings.jwt_private_key.get_secret_value() or settings.keys_dir):
        found.append(
            "JWT_PRIVATE_KEY is missing: set it to the output of `openssl genpkey -algorithm "
            "ed25519`, or set KEYS_DIR to a directory of such keys."
        )
    return found


def _weak(name: str, secrets: Iterable[str]) -> list[str]:
    """Say of each secret of a setting what is wrong with it."""
    return [f"{name} {problem}. {MAKE_ONE}" for problem in map(weakness, secrets) if problem]
