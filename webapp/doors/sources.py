"""The places in a request where an access token may be.

None of them asks which application is at hand, so that they read a host's requests as well.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import Flask, request

from config import SettingsError
from webapp.doors.own_parts import Own, made
from webapp.services.protocols import TokenSource

# RFC 6750, sections 2.2 and 2.3.
PARAMETER = "access_token"


@dataclass(frozen=True, slots=True)
class Shown:
    """The token that a request shows, if any, and the place that it was in."""

    encoded: str | None = None
    source: TokenSource | None = None

    @property
    def is_sent_unasked(self) -> bool:
        """Whether it came without anybody's asking."""
        return self.source is not None and self.source.is_sent_unasked


class BearerHeader:
    """`Authorization: Bearer …`."""

    is_sent_unasked = False

    def find(self) -> str | None:
        """Return the token of the header."""
        return bearer_token()


@dataclass(frozen=True, slots=True)
class AccessCookie:
    """The cookie of whoever signed in on the pages."""

    name: str
    is_sent_unasked: bool = True

    def find(self) -> str | None:
        """Return the token in the cookie."""
        return request.cookies.get(self.name)


class JsonBody:
    """The field `access_token` of a JSON body, for clients that can set no header."""

    is_sent_unasked = False

    def find(self) -> str | None:
        """Return the token in the body, which a view may read again, in its own way."""
        if not request.is_json:
            return None
        try:
            body = json.loads(request.get_data(cache=True))
        except (ValueError, RecursionError):
            return None
        found = body.get(PARAMETER) if isinstance(body, dict) else None
        return found if isinstance(found, str) else None


class QueryString:
    """`?access_token=…`, for downloads and sockets; it ends up in logs and in browsers' history."""

    is_sent_unasked = False

    def find(self) -> str | None:
        """Return the token in the query string."""
        return request.args.get(PARAMETER)


def bearer_token() -> str | None:
    """Return the token of an `Authorization: Bearer` header (RFC 6750), if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def shown_token(sources: Iterable[TokenSource]) -> Shown:
    """Return the token of the first of these places that has one."""
    for source in sources:
        encoded = source.find()
        if encoded is not None:
            return Shown(encoded, source)
    return Shown()


def sources_of(
    given: Sequence[str | Own[TokenSource]], cookie_name: str, app: Flask
) -> tuple[TokenSource, ...]:
    """Return the places that are named or given.

    :raises SettingsError: for a name that is none of header, cookie, json and query.
    """
    known: dict[str, TokenSource] = {
        "header": BearerHeader(),
        "cookie": AccessCookie(cookie_name),
        "json": JsonBody(),
        "query": QueryString(),
    }
    if isinstance(given, str) or not given:
        raise SettingsError("Where tokens are read from is a list, such as ('header', 'cookie').")
    found: list[TokenSource] = []
    for one in given:
        if isinstance(one, str) and one not in known:
            raise SettingsError(f"Tokens are read from {', '.join(known)}, not from {one!r}.")
        source = known[one] if isinstance(one, str) else made(TokenSource, one, app)
        if source is not None:
            found.append(source)
    return tuple(found)
