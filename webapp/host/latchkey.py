"""The extension: Latchkey in front of another Flask application."""

from collections.abc import Sequence
from weakref import WeakSet

from flask import Flask

from config import Settings
from webapp.doors.own_parts import Own, OwnParts
from webapp.factory import create_app
from webapp.host.commands import commands_of
from webapp.host.guards import check_place
from webapp.host.mount import Mount
from webapp.host.mounted import NAME, GuardSpec, Mounted, Place
from webapp.services.protocols import AccessVerifier, TokenSource


class Latchkey:
    """Sign-in for a host application, at paths of its own.

    Latchkey stays an application by itself, with its own configuration, error handlers, templates
    and database, which gets the requests to its paths before the host sees them. The host is
    changed in three places and no others: `wsgi_app`, `extensions["latchkey_host"]` and the
    command `flask latchkey`.
    """

    def __init__(
        self,
        app: Flask | None = None,
        settings: Settings | None = None,
        *,
        url_prefix: str | None = None,
        parts: OwnParts | None = None,
    ) -> None:
        """Stand in front of an application, or wait for :meth:`init_app`."""
        self._specs: dict[Place, GuardSpec] = {}
        self._mounted: WeakSet[Mounted] = WeakSet()
        if app is not None:
            self.init_app(app, settings, url_prefix=url_prefix, parts=parts)

    def init_app(
        self,
        app: Flask,
        settings: Settings | None = None,
        *,
        url_prefix: str | None = None,
        parts: OwnParts | None = None,
    ) -> None:
        """Stand in front of an application.

        :param settings: the environment's, unless they are given.
        :param url_prefix: the whole path, as browsers see it, below which Latchkey answers; in
            place of the setting URL_PREFIX.
        :param parts: parts of the host's own.
        :raises SettingsError: when the settings or a part will not do.
        :raises RuntimeError: when there is a Latchkey in front of it already.
        """
        if NAME in app.extensions:
            raise RuntimeError("There is a Latchkey in front of this application already.")
        settings = settings or Settings.from_env()
        if url_prefix is not None:
            settings = settings.below(url_prefix)
        latchkey = create_app(settings, parts, host=app)
        mounted = Mounted(app, latchkey, latchkey.extensions["latchkey"], self._specs)
        for place in self._specs:
            mounted.make_guard(place)
        self._mounted.add(mounted)
        app.extensions[NAME] = mounted
        app.wsgi_app = Mount(app.wsgi_app, latchkey, settings.url_prefix)  # type: ignore[method-assign]
        app.cli.add_command(commands_of(latchkey))

    def guard(
        self,
        place: Place,
        *,
        tokens_from: Sequence[str | Own[TokenSource]] | None = None,
        verify: Own[AccessVerifier] | None = None,
    ) -> None:
        """Let nobody see a blueprint, or an application, who is not signed in.

        Views marked `@public` stay open. Of several guards around a view the innermost counts.

        :param tokens_from: where tokens are read from here: `"header"`, `"cookie"`, `"json"`,
            `"query"`, or places of one's own; as for Latchkey itself by default.
        :param verify: reads access tokens here in place of Latchkey's own verifier.
        :raises SettingsError: when one of them will not do; at the latest by :meth:`init_app`.
        """
        self._specs[place] = GuardSpec(tokens_from, verify)
        for mounted in self._mounted:
            mounted.make_guard(place)
        place.before_request(check_place)
