"""The application, put together."""

from collections.abc import Callable, MutableMapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from flask.templating import Environment
from flask_cors import CORS
from pydantic import SecretStr
from sqlalchemy.orm import configure_mappers
from werkzeug.middleware.proxy_fix import ProxyFix

from config import INSTANCE, ROOT, Settings
from webapp import rooms
from webapp.doors import headers, logs, measures, refusals
from webapp.doors.api import openapi
from webapp.doors.api.rooms import PREFIX, StrictJSONProvider
from webapp.doors.cookies import REFRESH_PATH, access_cookie_name
from webapp.doors.csrf import HEADER
from webapp.doors.gql import PATH as GRAPHQL_PATH
from webapp.doors.own_parts import OwnParts, made
from webapp.doors.pages import rendering
from webapp.doors.prefix import BelowPrefix
from webapp.doors.sources import sources_of
from webapp.extensions import PARTS, bind_migrations, db, jwt
from webapp.features.social.configured import configured
from webapp.services.keys import load_keys, make_secret_file
from webapp.services.mailer import Mailer
from webapp.services.metrics import Metrics
from webapp.services.openid import OpenIDProviders
from webapp.services.parts import Parts
from webapp.services.passwords import Passwords
from webapp.services.protocols import (
    MailTransport,
    PasswordHasher,
    SessionStore,
    TokenIssuer,
    TokenVerifier,
    UserLookup,
)
from webapp.services.revocations import Revocations
from webapp.services.session_stores import open_sessions
from webapp.services.smtp import SmtpTransport
from webapp.services.stored_users import StoredUsers
from webapp.services.throttle import Throttle
from webapp.services.tokens import JwtIssuer, JwtVerifier
from webapp.stores.engine import engine_options, prepare_engine

VERSION = "0.1.0"
BODY_LIMIT = 64 * 1024
# Without a prefix, /static stays the host's.
STATIC_BESIDE_A_HOST = "/latchkey/static"
# Signing in, and what it is made of.
FIRST_PAGE = (
    "sign_in/sign_in.html",
    "layout.html",
    "macros.html",
    "_mark.html",
    "social/_buttons.html",
)


class NoSession(SessionInterface):
    """No session of Flask's: Latchkey has its own, and Flask's is looked for on every request."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Have none."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep none."""


class Templates(Environment):
    """Jinja whose templates all know the same: from one dictionary, not from a chain of two."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return what a template knows besides what it is given when it is rendered."""
        return super().make_globals(d) if d else self.globals


class Application(APIFlask):
    """Flask, without what each request would pay for and none of ours needs."""

    session_interface = NoSession()
    jinja_environment = Templates

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Call every view as it is: none is a coroutine, and to look takes time each time."""
        return func


def create_app(
    settings: Settings, parts: OwnParts | None = None, host: Flask | None = None
) -> APIFlask:
    """Return a Latchkey application.

    :param settings: as :meth:`Settings.from_env` or :meth:`Settings.completed` returns them.
    :param parts: parts of the host's own, in place of those that the settings describe.
    :param host: the application that it is to stand in front of, if there is one.
    :raises SettingsError: when a signing key is missing or does not parse.
    """
    logs.prepare()
    settings = with_development_secret(settings)
    app = Application(
        "webapp",
        title=settings.app_name,
        version=VERSION,
        root_path=str(ROOT),
        static_url_path=STATIC_BESIDE_A_HOST if host and not settings.url_prefix else None,
        instance_path=str(INSTANCE),
        json_errors=False,
        spec_path=f"{PREFIX}/openapi.json",
        docs_path=None,
    )
    app.json = StrictJSONProvider(app)
    app.config.from_mapping(flask_config(settings))
    if settings.url_prefix:
        app.wsgi_app = BelowPrefix(app.wsgi_app, settings.url_prefix)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    bind_extensions(app, settings)
    app.extensions[PARTS] = build_parts(app, settings, parts or OwnParts(), host or app)
    measures.prepare(app, app.extensions[PARTS].metrics)
    headers.prepare(app, settings)
    rendering.prepare(app, settings)
    refusals.prepare(app)
    openapi.prepare(app, settings)
    rooms.open_rooms(app, settings)
    load_what_is_used(settings)
    return app


def with_development_secret(settings: Settings, instance: Path = INSTANCE) -> Settings:
    """Return the settings with a SECRET_KEY, which development makes for itself once."""
    if settings.secret_key.get_secret_value():
        return settings
    secret = make_secret_file(instance / "secret_key")
    return settings.model_copy(update={"secret_key": SecretStr(secret)})


def build_parts(app: APIFlask, settings: Settings, own: OwnParts, host: Flask) -> Parts:
    """Make the parts that the settings describe, but for those that the host brings along."""
    sessions = made(SessionStore, own.sessions, host) or open_sessions(settings)
    metrics = Metrics()
    transport = made(MailTransport, own.mail_transport, host)
    if transport is None and settings.smtp_url.get_secret_value():
        transport = SmtpTransport(settings)
    return Parts(
        settings=settings,
        keys=load_keys(settings),
        passwords=made(PasswordHasher, own.passwords, host)
        or Passwords(settings.bcrypt_cost, metrics=metrics),
        throttle=Throttle(settings.redis_url, is_on=settings.rate_limits),
        sessions=sessions,
        revocations=Revocations(sessions.changed_since, settings.access_token_expires),
        openid=OpenIDProviders(),
        mailer=Mailer(settings, app.app_context, transport),
        mail_transport=transport,
        users=made(UserLookup, own.users, host) or StoredUsers(),
        token_issuer=made(TokenIssuer, own.token_issuer, host) or JwtIssuer(),
        token_verifier=made(TokenVerifier, own.token_verifier, host) or JwtVerifier(),
        token_sources=sources_of(own.token_sources, access_cookie_name(settings), host),
        metrics=metrics,
    )


def bind_extensions(app: APIFlask, settings: Settings) -> None:
    """Bind the Flask extensions to an application."""
    db.init_app(app)
    bind_migrations(app, str(ROOT / "migrations"))
    jwt.init_app(app)
    with app.app_context():
        prepare_engine(db)
    if settings.cors_origins:
        CORS(
            app,
            resources=[rf"{PREFIX}/.*", GRAPHQL_PATH],
            origins=list(settings.cors_origins),
            supports_credentials=True,
            allow_headers=["Authorization", "Content-Type", HEADER],
            expose_headers=["Retry-After", "X-Request-Id"],
            max_age=600,
        )


def load_what_is_used(settings: Settings) -> None:
    """Import what these settings have requests import, so that all workers share its memory.

    And so that nobody's first request waits for it; a site that does not use it never loads it.
    """
    if settings.redis_url:
        import_module("redis")
    if configured(settings):
        import_module("webapp.services.provider_session")


def warm_up(app: Flask) -> None:
    """Make now what each worker would make for itself at its first requests: for before they fork.

    Of the templates those of the page that everybody comes to; with them, all of Jinja's compiler
    has been at work once.
    """
    configure_mappers()
    app.url_map.update()
    for name in FIRST_PAGE:
        app.jinja_env.get_template(name)


def flask_config(settings: Settings) -> dict[str, object]:
    """Return what Flask and its extensions are told, from our own settings."""
    prefixed = settings.is_production
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "MAX_CONTENT_LENGTH": BODY_LIMIT,
        "MAX_FORM_MEMORY_SIZE": BODY_LIMIT,
        "TEMPLATES_AUTO_RELOAD": not settings.is_production,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(hours=1) if settings.is_production else None,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "JWT_ALGORITHM": settings.jwt_algorithm,
        "JWT_ENCODE_NBF": False,
        "JWT_ENCODE_ISSUER": settings.token_issuer,
        "JWT_DECODE_ISSUER": settings.token_issuer,
        "JWT_ENCODE_AUDIENCE": settings.token_audience,
        "JWT_DECODE_AUDIENCE": settings.token_audience,
        "JWT_ACCESS_COOKIE_NAME": access_cookie_name(settings),
        "JWT_REFRESH_COOKIE_NAME": ("__Secure-" if prefixed else "") + "refresh_token",
        "JWT_ACCESS_COOKIE_PATH": "/",
        "JWT_REFRESH_COOKIE_PATH": settings.url_prefix + REFRESH_PATH,
        "JWT_COOKIE_SECURE": settings.is_production or settings.cookie_samesite == "None",
        "JWT_COOKIE_SAMESITE": settings.cookie_samesite,
        "JWT_COOKIE_DOMAIN": settings.cookie_domain or None,
        # Ours is bound to the session, and lasts as long as it, unlike one kept in each token.
        "JWT_COOKIE_CSRF_PROTECT": False,
        "OPENAPI_VERSION": "3.1.0",
        "VALIDATION_ERROR_STATUS_CODE": 422,
        "AUTO_404_RESPONSE": False,
    }
