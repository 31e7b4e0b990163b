"""Headers that every reply carries, errors too, and the id that a request goes by."""

import random
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

from config import Settings
from webapp.doors import csrf
from webapp.errors import NotFound

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_POLICY = "Content-Security-Policy"
# Unless a view says otherwise.
_USUALLY = (("Cache-Control", "no-store"), ("X-Frame-Options", "DENY"))
_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_STRICT_TRANSPORT = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")


def prepare(app: Flask, settings: Settings) -> None:
    """Have an application send them."""
    always = [*_ALWAYS, _STRICT_TRANSPORT] if settings.is_production else [*_ALWAYS]
    logo = f" {settings.app_logo}" if settings.app_logo.startswith("https://") else ""
    # Pages with a style of their own, or a form that leads elsewhere, have a policy of their own.
    usually = [(pair[0].lower(), pair) for pair in ((_POLICY, _policy(logo)), *_USUALLY)]

    @app.before_request
    def begin() -> None:
        # No secret: the system is not asked for it, as each time it is, other threads go first.
        g.request_id = f"{random.getrandbits(64):016x}"
        if "\0" in request.path:
            # No id has one, and PostgreSQL does not even take it to compare.
            raise NotFound
        csrf.check_origin()
        check_ids()

    @app.after_request
    def finish(response: Response) -> Response:
        headers = response.headers
        nonce, target = g.get("csp_nonce"), g.get("form_target", "")
        if nonce or target:
            headers.setdefault(_POLICY, _policy(logo, nonce, target))
        headers.add("X-Request-Id", g.get("request_id", ""))
        if token := g.get("csrf_cookie"):
            csrf.place(response, token)
        elif (principal := g.get("principal")) and principal.is_by_cookie:
            csrf.renew(response, principal.claims.session_id)
        return response

    # Past Flask, whose own way of adding them took a tenth of a check.
    answer = app.wsgi_app

    def hardened(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            present = {name.lower() for name, _ in headers}
            headers += [pair for name, pair in usually if name not in present]
            return start_response(status, headers + always, *error)

        return answer(environ, start)

    app.wsgi_app = hardened  # type: ignore[method-assign]


def csp_nonce() -> str:
    """Return what lets the page at hand carry a style of its own, the same throughout a request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


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


def _policy(logo: str, nonce: str | None = None, form_target: str = "") -> str:
    style = f" 'nonce-{nonce}'" if nonce else ""
    return (
        "default-src 'none'; object-src 'none'; script-src 'self'; connect-src 'self'; "
        f"style-src 'self'{style}; img-src 'self'{logo}; form-action 'self'{form_target}; "
        "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
