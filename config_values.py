"""How settings are written: durations, lists, switches, origins, and what is too weak a secret."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3650)  # Ten years from now is still a date.
ORIGIN = re.compile(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?")  # As browsers send it.
URL_PREFIX = r"^(/[A-Za-z0-9_-][A-Za-z0-9._~-]*)*$"
_WITH_DRIVER = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_HOST = r"([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?"
_REDIS = re.compile(
    rf"rediss?://([^@/]*@)?{_HOST}(/\d*)?(\?\S*)?"
    rf"|rediss?\+cluster://([^@/]*@)?{_HOST}(,{_HOST})*/?"
)
DRIVERS = ("sqlite", *_WITH_DRIVER.values())
_PUBLISHED = re.compile(r"change[-_ ]?me|secret[-_ ]?key|your[-_ ]|example|insecure|password", re.I)


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


MAKE_ONE = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


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


def as_browsers_send_it(origin: str) -> str:
    """Return an origin in lower case, without the port that its scheme has anyway."""
    origin = origin.rstrip("/").lower()
    return origin.removesuffix(":443" if origin.startswith("https://") else ":80")


def scheme_of(url: str) -> str:
    """Return the scheme of a URL, or an empty string where the rest of it does not parse."""
    try:
        return make_url(url).drivername
    except (ArgumentError, ValueError):
        return ""


def redis_problems(url: str, session_store: str) -> list[str]:
    """Say what is wrong with where Redis is."""
    if url and not _REDIS.fullmatch(url):
        return ["REDIS_URL has to be like redis://localhost:6379 or redis+cluster://host:6379."]
    if session_store == "redis" and not url:
        return ["SESSION_STORE=redis needs REDIS_URL: set it to redis://localhost:6379, say."]
    return []


def with_driver(url: str) -> str:
    """Name the drivers that Latchkey ships, and anchor a relative SQLite path at the project."""
    scheme, _, rest = url.partition("://")
    if scheme in _WITH_DRIVER:
        return f"{_WITH_DRIVER[scheme]}://{rest}"
    path = url.removeprefix("sqlite:///")
    if path != url and path and not path.startswith(("/", ":memory:")):
        return f"sqlite:///{ROOT / path}"
    return url


def sentence_of(item: Any) -> str:
    """Turn one of pydantic's errors into a sentence, without the value, which may be a secret."""
    name = str(item["loc"][0]).upper() if item["loc"] else "Settings"
    return f"{name}: {item['msg'].removeprefix('Value error, ')}."
