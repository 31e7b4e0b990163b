"""What a host application knows of the Latchkey in front of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from apiflask import APIFlask
from flask import Blueprint, Flask, current_app, request

from webapp.doors.cookies import access_cookie_name
from webapp.doors.own_parts import Own, made
from webapp.doors.sources import AccessCookie, Shown, sources_of
from webapp.services.parts import Parts
from webapp.services.protocols import AccessVerifier, TokenSource

NAME = "latchkey_host"

Place = Flask | Blueprint


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """How a blueprint or an application is to be guarded; None stands for Latchkey's own way."""

    tokens_from: Sequence[str | Own[TokenSource]] | None = None
    verify: Own[AccessVerifier] | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """The same with its parts made."""

    sources: tuple[TokenSource, ...]
    verifier: AccessVerifier | None = None

    def is_helped_by_pages(self, shown: Shown) -> bool:
        """Whether signing in or refreshing on Latchkey's pages would change what it sees.

        Where it would not, sending a browser there would send it round in circles.
        """
        is_ours = self.verifier is None and any(isinstance(s, AccessCookie) for s in self.sources)
        return is_ours and (shown.source is None or isinstance(shown.source, AccessCookie))


@dataclass(frozen=True, eq=False)
class Mounted:
    """Latchkey's application beside one host, and the guards that were asked for."""

    host: Flask
    app: APIFlask
    parts: Parts
    specs: dict[Place, GuardSpec]
    _guards: dict[Place, Guard] = field(default_factory=dict)

    def place_of_request(self) -> Place | None:
        """Return the innermost guarded place that the request's view is in, if there is one."""
        blueprints = (self.host.blueprints[name] for name in request.blueprints)
        return next((place for place in (*blueprints, self.host) if place in self.specs), None)

    def guard_of_request(self) -> Guard:
        """Return the guard of that place, or the way of Latchkey's own pages and API."""
        place = self.place_of_request()
        return self._guards[place] if place else Guard(self.parts.token_sources)

    def make_guard(self, place: Place) -> None:
        """Make the guard that was asked for a place, calling the factories of its parts.

        :raises SettingsError: when one of them will not do.
        """
        spec, sources = self.specs[place], self.parts.token_sources
        if spec.tokens_from is not None:
            name = access_cookie_name(self.parts.settings)
            sources = sources_of(spec.tokens_from, name, self.host)
        self._guards[place] = Guard(sources, made(AccessVerifier, spec.verify, self.host))


def mounted() -> Mounted:
    """Return the Latchkey of the host application at hand.

    :raises RuntimeError: when it has none.
    """
    found = current_app.extensions.get(NAME)
    if found is None:
        raise RuntimeError("There is no Latchkey here: call Latchkey(app, settings) first.")
    return cast(Mounted, found)
