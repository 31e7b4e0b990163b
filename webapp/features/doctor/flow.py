"""What is unsafe or will not work with the present settings, topic by topic."""

import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from config import Settings
from config_values import weakness
from webapp.errors import AuthError, TemporarilyUnavailable
from webapp.features.social.check import check as check_provider
from webapp.features.social.configured import configured
from webapp.services.colours import contrast
from webapp.services.findings import Finding, note, right, wrong
from webapp.services.parts import parts
from webapp.stores import health
from webapp.stores.transactions import read

_LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
# The page's papers, light and dark.
_PAPERS = ("#f4f5f1", "#10181f")
_PATIENCE = 5.0  # seconds


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    settings = parts().settings
    for topic in (_place, _cookies, _cors, _proxies, _secrets, _limits, _mail, _look):
        yield from topic(settings)
    yield from _database(settings)
    yield from _providers(settings)


def _place(settings: Settings) -> Iterator[Finding]:
    is_local = _LOCAL.fullmatch(settings.base_url) is not None
    if settings.is_production:
        yield right(f"Production, at {settings.base_url}.")
    elif is_local:
        yield note("Development: cookies are not Secure. Set APP_ENV=production for a public site.")
    else:
        yield wrong(
            f"APP_ENV is development, and BASE_URL is {settings.base_url}: strangers could read "
            "everybody's mail at /dev/mailbox. Set APP_ENV=production."
        )
    if not settings.is_production and settings.base_url.startswith("http:") and not is_local:
        yield wrong("BASE_URL is not https: passwords and cookies cross the network in the open.")
    if settings.email_verification == "off":
        yield note("EMAIL_VERIFICATION=off: anybody can sign up with anybody's address.")


def _cookies(settings: Settings) -> Iterator[Finding]:
    if settings.cookie_domain:
        host = urlsplit(settings.base_url).hostname or ""
        domain = settings.cookie_domain.lstrip(".")
        if host != domain and not host.endswith(f".{domain}"):
            yield wrong(
                f"COOKIE_DOMAIN {domain} is not {host} or above it: nobody stays signed in."
            )
        yield note("COOKIE_DOMAIN gives up the __Host- prefix: every subdomain can plant cookies.")
    if settings.cookie_samesite == "None":
        yield note(
            "COOKIE_SAMESITE=None: other sites' requests bring the cookies; CSRF tokens hold."
        )
    if settings.cookie_samesite == "Strict":
        yield note("COOKIE_SAMESITE=Strict: whoever follows a link to this site seems signed out.")
    if settings.refresh_grace.total_seconds() > 120:
        yield note("REFRESH_GRACE is over two minutes: a thief has that long to go unnoticed.")


def _cors(settings: Settings) -> Iterator[Finding]:
    here = urlsplit(settings.base_url)
    for origin in settings.cors_origins:
        there = urlsplit(origin)
        if settings.is_production and there.scheme != "https":
            yield wrong(f"CORS_ORIGINS trusts {origin} without TLS: anybody on its way can read.")
        is_near = _is_same_site(here.hostname or "", there.hostname or "")
        if not is_near and settings.cookie_samesite != "None":
            yield wrong(
                f"{origin} is another site than {settings.base_url}: with COOKIE_SAMESITE="
                f"{settings.cookie_samesite} its requests come without cookies. Serve it from a "
                "neighbouring name, or use bearer tokens."
            )
    if settings.cors_origins:
        yield right(f"CORS: {len(settings.cors_origins)} origins, each exactly as named.")


def _proxies(settings: Settings) -> Iterator[Finding]:
    if settings.is_production and settings.trusted_proxies == 0:
        yield wrong(
            "TRUSTED_PROXIES is 0, but TLS ends somewhere in front: everybody seems to come from "
            "there, and shares one limit. Set it to the number of proxies."
        )
    elif settings.trusted_proxies:
        yield note(
            f"TRUSTED_PROXIES={settings.trusted_proxies}: right if that many proxies stand in "
            "front, and nothing reaches this port around them; with fewer, addresses are forged."
        )


def _secrets(settings: Settings) -> Iterator[Finding]:
    if problem := weakness(settings.secret_key.get_secret_value()):
        yield wrong(f"SECRET_KEY {problem}. Leave it out in development, where one is made.")
    if settings.bcrypt_cost < 12:
        yield note(f"BCRYPT_COST={settings.bcrypt_cost}: each step below 12 halves a guess's work.")
    if settings.jwt_algorithm == "HS256":
        yield note("JWT_ALGORITHM=HS256: services that verify tokens could make them, too.")
    else:
        count = len(parts().keys.jwks()["keys"])
        yield right(f"Tokens are signed with {settings.jwt_algorithm}; {count} keys verify.")
    if settings.keys_dir:
        yield from _key_files(Path(settings.keys_dir))


def _key_files(directory: Path) -> Iterator[Finding]:
    for file in (directory, *sorted(directory.glob("*.pem"))):
        if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            yield wrong(f"{file} can be read by everybody or written by others: chmod go-rwx it.")


def _limits(settings: Settings) -> Iterator[Finding]:
    if not settings.rate_limits:
        yield wrong("RATE_LIMITS=off: passwords can be guessed without end. Leave it out.")
    elif not settings.redis_url:
        yield note("Without REDIS_URL each process counts tries for itself.")


def _mail(settings: Settings) -> Iterator[Finding]:
    address = settings.smtp_url.get_secret_value()
    if not address:
        say = wrong if settings.is_production else note
        yield say("SMTP_URL is not set: mail stays in the outbox, and nobody can confirm or reset.")
        return
    if settings.mail_from.rstrip(">").endswith("@localhost"):
        yield wrong("MAIL_FROM is at localhost: mail servers refuse it. Set it to your own domain.")
    url = urlsplit(address)
    port = url.port or (465 if url.scheme == "smtps" else 587)
    try:
        with socket.create_connection((url.hostname or "", port), _PATIENCE):
            yield right(f"A mail server listens at {url.hostname}:{port}.")
    except OSError as error:
        yield wrong(f"No mail server at {url.hostname}:{port}: {error.strerror or error}.")


def _look(settings: Settings) -> Iterator[Finding]:
    if not settings.app_accent:
        return
    for paper in _PAPERS:
        ratio = contrast(settings.app_accent, paper)
        if ratio < 1.5:
            yield note(f"APP_ACCENT hardly stands out from the page ({ratio:.1f} to 1 on {paper}).")
    yield right("What stands on APP_ACCENT can be read: black or white is chosen for it.")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.is_production and settings.database_url.startswith("sqlite"):
        yield note("SQLite: fine on one machine, on its own disk; not shared between machines.")
    try:
        read(health.check)
        is_newest = read(health.is_newest_schema)
    except TemporarilyUnavailable:
        yield wrong(
            "The database does not answer or has no tables: check DATABASE_URL, then run: "
            "flask db upgrade"
        )
        return
    if is_newest:
        yield right("The database answers, and its schema is the newest.")
    else:
        yield wrong("The database's schema is not this version's. Run: flask db upgrade")


def _providers(settings: Settings) -> Iterator[Finding]:
    for provider_id in {**settings.providers, **configured(settings)}:
        try:
            for finding in check_provider(provider_id):
                yield Finding(finding.level, f"{provider_id}: {finding.sentence}")
        except AuthError:
            yield note(f"{provider_id.upper()}_CLIENT_ID is set, but names no provider known here.")


def _is_same_site(one: str, other: str) -> bool:
    """Whether two hosts are one site, taking the last two labels for it, which mostly holds."""
    return one.split(".")[-2:] == other.split(".")[-2:]
