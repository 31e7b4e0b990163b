"""Headers that every reply carries, errors too, and the id that a request goes by."""

import secrets

from flask import Flask, Response, g, request

from config import Settings
from webapp.doors import csrf
from webapp.errors import NotFound


def prepare(app: Flask, settings: Settings) -> None:
    """Have an application send them."""

    @app.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.csp_nonce = secrets.token_urlsafe(16)
        if "\0" in request.path:
            # No id has one, and PostgreSQL does not even take it to compare.
            raise NotFound
        csrf.check_origin()
        check_ids()

    @app.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", _policy(settings))
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("X-Frame-Options", "DENY")
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        headers["X-Request-Id"] = g.get("request_id", "")
        if settings.is_production:
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        if token := g.get("csrf_cookie"):
            csrf.place(response, token)
        elif (principal := g.get("principal")) and principal.is_by_cookie:
            csrf.renew(response, principal.claims.session_id)
        return response


def let_forms_lead_to(origin: str) -> None:
    """Let the forms of the page at hand be answered by a redirect to another origin, too.

    :param origin: one that is known to be harmless; it goes into the policy as it is.
    """
    g.form_target = f" {origin}"


def check_ids() -> None:
    """Refuse an address with an id that cannot be one; MariaDB compares no such text with ids.

    :raises NotFound: when there is one.
    """
    for name, value in (request.view_args or {}).items():
        if name.endswith("_id") and (not str(value).isascii() or "\0" in str(value)):
            raise NotFound


def _policy(settings: Settings) -> str:
    nonce = g.get("csp_nonce", "")
    logo = f" {settings.app_logo}" if settings.app_logo.startswith("https://") else ""
    return (
        "default-src 'none'; object-src 'none'; script-src 'self'; connect-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; img-src 'self'{logo}; "
        f"form-action 'self'{g.get('form_target', '')}; "
        "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
