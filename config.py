"""Settings: each one declared, documented, defaulted and validated here, and nowhere else.

They come from the environment or from a file `.env` beside this one, and are frozen. In
production whatever is missing or weak stops the start with a sentence that says what to do.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config_checks import problems_of, weaknesses_of
from config_providers import ProviderSettings, read_providers
from config_values import (
    ROOT,
    URL_PREFIX,
    Duration,
    Lifetime,
    Origins,
    Switch,
    as_browsers_send_it,
    sentence_of,
    split_commas,
    with_driver,
)

__all__ = ["INSTANCE", "ROOT", "ProviderSettings", "Settings", "SettingsError"]

INSTANCE = ROOT / "instance"


class SettingsError(ValueError):
    """Settings that the application refuses to start with; the text says what to do."""


class Settings(BaseSettings):
    """The settings of one application; names in the environment are these in upper case."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, validate_default=True
    )

    app_env: Literal["development", "production"] = Field(
        "development",
        description="`production` turns on Secure, prefixed cookies and HSTS, and refuses weak or "
        "missing secrets.",
    )
    app_name: str = Field("Latchkey", max_length=60, description="Shown on pages and in mail.")
    app_accent: str = Field(
        "",
        pattern=r"^(#[0-9a-fA-F]{6})?$",
        description="A colour like `#7a1f3d` in place of the pages' own accent.",
    )
    app_logo: str = Field(
        "",
        pattern=r"^((https://|/)[^\s\"'<>;,]+)?$",
        description="Path or https address of a picture in place of the pages' own mark.",
    )
    port: int = Field(5000, ge=1, le=65535, description="Where `make run` listens.")
    base_url: str = Field(
        "",
        description="The only origin ever written into a link. Default: `http://localhost:$PORT`; "
        "production wants https.",
    )
    url_prefix: str = Field(
        "",
        pattern=URL_PREFIX,
        description="Path below which all of it lives, such as `/id`, on an origin that is shared "
        "with something else.",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="At least 32 bytes, from `python3 -c 'import secrets; "
        "print(secrets.token_urlsafe(48))'`. Made in development.",
    )
    database_url: str = Field(
        "sqlite:///instance/latchkey.db",
        description="`sqlite:///…`, `postgresql://…` or `mysql://…` as given; the driver is added.",
    )
    redis_url: str = Field(
        "",
        description="Shares the rate limits between processes, and keeps the sessions if "
        "SESSION_STORE says so. `redis://localhost:6379/0`, `rediss://…` (TLS), or "
        "`redis+cluster://host:6379,host:6379`.",
    )
    session_store: Literal["sql", "redis"] = Field(
        "sql", description="Where sessions are kept: `sql`, or `redis`, which needs REDIS_URL."
    )
    access_token_expires: Lifetime = Field(
        timedelta(minutes=15), description="How long an access token lasts."
    )
    refresh_token_expires: Lifetime = Field(
        timedelta(days=30), description="Idle limit of a session: each refresh starts it again."
    )
    session_lifetime: Lifetime = Field(
        timedelta(days=90), description="Absolute limit of a session, however often refreshed."
    )
    refresh_grace: Duration = Field(
        timedelta(seconds=30),
        description="The grace window of the refresh rule: one rotation a window. `0` is strict "
        "rotation, where every second presentation is reuse.",
    )
    jwt_algorithm: Literal["EdDSA", "ES256", "RS256", "HS256"] = Field(
        "EdDSA", description="What tokens are signed with."
    )
    jwt_private_key: SecretStr = Field(
        SecretStr(""),
        description="The signing key as PEM (`\\n` may stand for line ends), or the absolute path "
        "of a file with it. Of several the first signs and all verify. Used when given, in "
        "development too.",
    )
    jwt_secret: SecretStr = Field(
        SecretStr(""),
        description="The secret for HS256, at least 32 bytes. Of several, comma separated, the "
        "first signs and all verify.",
    )
    keys_dir: str = Field(
        "",
        description="A directory of signing keys (`*.pem`; `*.secret` for HS256) that nodes share, "
        "and `flask keys` changes. Development keeps its own under `instance/keys`; production "
        "demands this, or one of the two above.",
    )
    token_issuer: str = Field("", description="`iss` of every token. Default: `BASE_URL`.")
    token_audience: str = Field("", description="`aud` of every token. Default: `BASE_URL`.")
    cookie_samesite: Literal["Lax", "Strict", "None"] = Field(
        "Lax", description="SameSite of every cookie; `None` needs https."
    )
    cookie_domain: str = Field(
        "", description="Shares the cookies with subdomains; gives up the `__Host-` prefix."
    )
    cors_origins: Origins = Field(
        (), description="Exact origins, comma separated; credentials allowed for these alone."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="How many proxies stand in front and set X-Forwarded-*."
    )
    email_verification: Literal["required", "optional", "off"] = Field(
        "required",
        description="`required`: no sign-in before the address is proved, and sign-up never tells "
        "whether an address is known. `optional`: signed in at once, a taken address is 409. "
        "`off`: as optional, and no mail to prove the address.",
    )
    password_min_length: int = Field(
        8, ge=8, le=64, description="In characters; beside it a list of common passwords."
    )
    bcrypt_cost: int = Field(
        12, ge=4, le=16, description="Two to this power rounds; under 10 only in development."
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="`smtp://user:pass@host:587` (STARTTLS wherever offered, demanded unless the "
        "host is this machine) or `smtps://…`. Without it mail stays in the outbox.",
    )
    mail_from: str = Field("no-reply@localhost", description="The sender of every mail.")
    users_directory: Literal["public", "members", "admins"] = Field(
        "admins",
        description="Who may list people: `public`, `members` or `admins`; all but admins see id "
        "and name alone.",
    )
    rate_limits: Switch = Field(
        True, description="`off` for load tests: no limits and no sign-in throttle."
    )
    graphql: Switch = Field(False, description="`on` opens `/graphql`.")
    fake_providers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)] = Field(
        (),
        description="Development only: `google,apple,facebook,github`, played by a built-in "
        "consent page.",
    )
    revocations_tokens: SecretStr = Field(
        SecretStr(""),
        description="Secrets, comma separated, of services that read `/api/v1/auth/revocations`; "
        "at least 32 bytes each in production.",
    )
    _providers: dict[str, ProviderSettings] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:
        """Read the environment and `.env`, fill in what follows from it, and refuse what is unsafe.

        :param overrides: values that win over the environment, by field name.
        :raises SettingsError: with one sentence for each thing to mend.
        """
        file = ROOT / ".env"
        environment = {k: v or "" for k, v in dotenv_values(file).items()} | dict(os.environ)
        try:
            providers = read_providers(environment)
            settings = cls(_env_file=file, **overrides)
        except ValidationError as error:
            raise SettingsError("\n".join(sentence_of(item) for item in error.errors())) from None
        except ValueError as error:
            raise SettingsError(str(error)) from None
        return settings.with_providers(providers).completed()

    @property
    def providers(self) -> Mapping[str, ProviderSettings]:
        """What the environment says about sign-in providers, by provider id."""
        return self._providers

    def with_providers(self, providers: Mapping[str, ProviderSettings]) -> Self:
        """Return a copy that knows these providers."""
        settings = self.model_copy()
        settings._providers = dict(providers)
        return settings

    def completed(self) -> Self:
        """Return a copy with the defaults that depend on other settings, once checked.

        :raises SettingsError: when production would start with something missing or weak.
        """
        base = as_browsers_send_it(self.base_url or f"http://localhost:{self.port}")
        completed = {
            "base_url": base,
            "token_issuer": self.token_issuer or base,
            "token_audience": self.token_audience or base,
            "database_url": with_driver(self.database_url),
            "cors_origins": tuple(map(as_browsers_send_it, self.cors_origins)),
        }
        settings = self.model_copy(update=completed)
        problems = [
            *problems_of(settings),
            *(weaknesses_of(settings) if self.is_production else []),
        ]
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    def below(self, url_prefix: str) -> Self:
        """Return a copy whose pages and API live below another path.

        :raises SettingsError: when that is no path such as `/id`.
        """
        if not re.fullmatch(URL_PREFIX, url_prefix):
            raise SettingsError("URL_PREFIX has to be a path such as /id, no slash at its end.")
        return self.model_copy(update={"url_prefix": url_prefix})

    @property
    def root_url(self) -> str:
        """Where all of it lives, as links begin that are read elsewhere."""
        return self.base_url + self.url_prefix

    @property
    def is_production(self) -> bool:
        """Whether this is APP_ENV=production."""
        return self.app_env == "production"
