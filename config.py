"""Settings: each one declared, documented, defaulted and validated here, and nowhere else.

They come from the environment or from a file `.env` beside this one, and are frozen. In
production whatever is missing or weak stops the start with a sentence that says what to do.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)  # Ten years from now is still a date.
_ORIGIN = re.compile(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?")  # As browsers send it.
_WITH_DRIVER = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_DRIVERS = ("sqlite", *_WITH_DRIVER.values())
_PUBLISHED = re.compile(r"change[-_ ]?me|secret[-_ ]?key|your[-_ ]|example|insecure|password", re.I)


class SettingsError(ValueError):
    """Settings that the application refuses to start with; the text says what to do."""


def parse_duration(value: Any) -> Any:
    """Turn `900`, `15m`, `12h` or `30d` into a timedelta; other types pass through."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d{1,9})\s*([smhd]?)", str(value).strip())
    if match is None:
        raise ValueError("write a duration like 900, 15m, 12h or 30d")
    duration = timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if duration > _LONGEST:
        raise ValueError("write a duration of at most 3650d")
    return duration


def split_commas(value: Any) -> Any:
    """Turn `a, b` into a tuple; other types pass through."""
    is_text = isinstance(value, str)
    return tuple(p.strip() for p in value.split(",") if p.strip()) if is_text else value


def parse_switch(value: Any) -> Any:
    """Turn `on` and `off` into a bool; whatever else is left to pydantic."""
    return {"on": True, "off": False}.get(value.lower(), value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Lifetime = Annotated[timedelta, Field(gt=timedelta(0)), BeforeValidator(parse_duration)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]
Switch = Annotated[bool, BeforeValidator(parse_switch)]


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
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="At least 32 bytes, from `python3 -c 'import secrets; "
        "print(secrets.token_urlsafe(48))'`. Made in development.",
    )
    database_url: str = Field(
        "sqlite:///instance/latchkey.db",
        description="`sqlite:///…`, `postgresql://…` or `mysql://…` as given; the driver is added.",
    )
    redis_url: str = Field("", description="Shares the rate limits between processes.")
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
        description="The signing key as PEM (`\\n` may stand for line ends). Used when given, in "
        "development too.",
    )
    jwt_secret: SecretStr = Field(
        SecretStr(""), description="The secret for HS256, at least 32 bytes."
    )
    keys_dir: str = Field(
        "",
        description="A directory of signing keys (`*.pem`) that nodes share. Development keeps its "
        "own under `instance/keys`; production demands this, or one of the two above.",
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
    rate_limits: Switch = Field(
        True, description="`off` for load tests: no limits and no sign-in throttle."
    )

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:
        """Read the environment and `.env`, fill in what follows from it, and refuse what is unsafe.

        :param overrides: values that win over the environment, by field name.
        :raises SettingsError: with one sentence for each thing to mend.
        """
        try:
            settings = cls(_env_file=ROOT / ".env", **overrides)
        except ValidationError as error:
            raise SettingsError("\n".join(_sentence(item) for item in error.errors())) from None
        return settings.completed()

    def completed(self) -> Self:
        """Return a copy with the defaults that depend on other settings, once checked.

        :raises SettingsError: when production would start with something missing or weak.
        """
        base = _as_browsers_send_it(self.base_url or f"http://localhost:{self.port}")
        completed = {
            "base_url": base,
            "token_issuer": self.token_issuer or base,
            "token_audience": self.token_audience or base,
            "database_url": _with_driver(self.database_url),
            "cors_origins": tuple(map(_as_browsers_send_it, self.cors_origins)),
        }
        settings = self.model_copy(update=completed)
        problems = [*settings._problems(), *(settings._weaknesses() if self.is_production else [])]
        if problems:
            raise SettingsError("\n".join(problems))
        return settings

    @property
    def is_production(self) -> bool:
        """Whether this is APP_ENV=production."""
        return self.app_env == "production"

    def _problems(self) -> list[str]:
        """Say what cannot work, in development either."""
        found = []
        if not _ORIGIN.fullmatch(self.base_url):
            found.append("BASE_URL has to be an origin such as https://id.example.org, no path.")
        if self.cookie_samesite == "None" and not self.base_url.startswith("https://"):
            found.append("COOKIE_SAMESITE=None needs an https BASE_URL; browsers refuse it else.")
        if not all(map(_ORIGIN.fullmatch, self.cors_origins)):
            found.append("CORS_ORIGINS takes exact origins such as https://app.example.org, not *.")
        if _scheme(self.database_url) not in _DRIVERS:
            found.append("DATABASE_URL has to be sqlite:///…, postgresql://… or mysql://….")
        if self.redis_url and _scheme(self.redis_url) not in ("redis", "rediss"):
            found.append("REDIS_URL has to be like redis://localhost:6379.")
        if self.smtp_url and _scheme(self.smtp_url.get_secret_value()) not in ("smtp", "smtps"):
            found.append("SMTP_URL has to be like smtp://user:pass@mail.example.org:587.")
        if not re.fullmatch(r"[^\x00-\x1f]*@[^\s@<>]+>?", self.mail_from):
            found.append("MAIL_FROM has to be an address such as no-reply@example.org.")
        if self.jwt_algorithm == "HS256" and self.jwt_private_key.get_secret_value():
            found.append("JWT_ALGORITHM=HS256 signs with JWT_SECRET; take JWT_PRIVATE_KEY away.")
        return found

    def _weaknesses(self) -> list[str]:
        """Say what production refuses."""
        found = []
        if problem := weakness(self.secret_key.get_secret_value()):
            found.append(f"SECRET_KEY {problem}. {_MAKE_ONE}")
        if not self.base_url.startswith("https://"):
            found.append("BASE_URL has to be https in production: set it to your public origin.")
        if self.bcrypt_cost < 10:
            found.append("BCRYPT_COST has to be 10 or more in production; leave it out for 12.")
        if self.jwt_algorithm == "HS256":
            if not self.keys_dir and (problem := weakness(self.jwt_secret.get_secret_value())):
                found.append(f"JWT_SECRET {problem}. {_MAKE_ONE}")
        elif not (self.jwt_private_key.get_secret_value() or self.keys_dir):
            found.append(
                "JWT_PRIVATE_KEY is missing: set it to the output of `openssl genpkey -algorithm "
                "ed25519`, or set KEYS_DIR to a directory of such keys."
            )
        return found


_MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def weakness(secret: str) -> str | None:
    """Say what is wrong with a secret, to follow its name in a sentence; None when it will do."""
    if not secret:
        return "is missing"
    if len(secret.encode()) < 32:
        return "is shorter than 32 bytes"
    if len(set(secret)) < 10:
        return "repeats too few characters to be random"
    if _PUBLISHED.search(secret) or secret in _documentation():
        return "is a value that stands in documentation, known to everybody"
    return None


def _documentation() -> str:
    """Return all that is shipped for reading, where a secret may have been copied from."""
    files = [ROOT / ".env.example", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return "\n".join(file.read_text("utf-8") for file in files if file.is_file())


def _as_browsers_send_it(origin: str) -> str:
    """Return an origin in lower case, without the port that its scheme has anyway."""
    origin = origin.rstrip("/").lower()
    return origin.removesuffix(":443" if origin.startswith("https://") else ":80")


def _scheme(url: str) -> str:
    """Return the scheme of a URL, or an empty string where the rest of it does not parse."""
    try:
        return make_url(url).drivername
    except (ArgumentError, ValueError):
        return ""


def _with_driver(url: str) -> str:
    """Name the drivers that Latchkey ships, and anchor a relative SQLite path at the project."""
    scheme, _, rest = url.partition("://")
    if scheme in _WITH_DRIVER:
        return f"{_WITH_DRIVER[scheme]}://{rest}"
    path = url.removeprefix("sqlite:///")
    if path != url and path and not path.startswith(("/", ":memory:")):
        return f"sqlite:///{ROOT / path}"
    return url


def _sentence(item: Any) -> str:
    """Turn one of pydantic's errors into a sentence, without the value, which may be a secret."""
    name = str(item["loc"][0]).upper() if item["loc"] else "Settings"
    return f"{name}: {item['msg'].removeprefix('Value error, ')}."
