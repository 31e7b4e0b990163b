"""Forged requests: one token for forms and for `X-XSRF-TOKEN`, and a look at the origin.

A token is `nonce.mac`, and the mac covers the nonce and whose it is: a session, or nobody's yet.
For a session that alone binds it. Before there is one, the nonce has to be that of the cookie
`XSRF-TOKEN` too. The nonce stays the same through sign-in and sign-out, so that a form that
was open in another tab can still be sent.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Response, current_app, g, request

from webapp.errors import CsrfFailed
from webapp.services.parts import parts
from webapp.services.secrets import derive_key

P = ParamSpec("P")
R = TypeVar("R")

COOKIE = "XSRF-TOKEN"
HEADER = "X-XSRF-TOKEN"
FIELD = "csrf_token"
# In forms of a host whose own protection has the other name.
FIELD_BESIDE = "latchkey_token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_NOBODY = "anonymous"
_FROM_ANYWHERE: set[str] = set()
_LOOPBACK = re.compile(r"(https?)://(?:localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?")


def check_origin() -> None:
    """Refuse a changing request that a browser says comes from another site.

    Signed in or not: signing somebody in to a stranger's account is an attack too. A client that
    sends neither header (curl, a mobile app) is judged by its credentials alone.

    :raises CsrfFailed: when it is another site.
    """
    if request.method in SAFE_METHODS or _is_from_anywhere():
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        if not _is_ours(origin):
            raise CsrfFailed
    elif request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise CsrfFailed


def from_anywhere(view: Callable[P, R]) -> Callable[P, R]:
    """Let other sites post to a view that does nothing with a post but send the browser on."""
    _FROM_ANYWHERE.add(f"{view.__module__}.{view.__qualname__}")
    return view


def check_original() -> None:
    """Refuse what a proxy asks about when its browser says that another site had it sent.

    The request at hand is the proxy's question; a changing one that it is about relies on cookies
    just as ours do. Its body, and a form's token in it, stay with the proxy, so that the browser's
    word has to do: pages of the protected site itself are `same-origin`. A sibling domain is not
    trusted unless it is listed in CORS_ORIGINS, although cookies are sent along from there.

    :raises CsrfFailed: when it is another site.
    """
    if is_original_safe():
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    is_own_page = site in ("same-origin", "none") or (site is None and origin is None)
    if not (is_own_page or (origin is not None and _is_ours(origin))):
        raise CsrfFailed


def is_original_safe() -> bool:
    """Whether the request that a proxy asks about changes nothing, by the method that it tells."""
    names = ("X-Original-Method", "X-Forwarded-Method")
    return all(request.headers.get(name, "GET").upper() in SAFE_METHODS for name in names)


def check_session(session_id: str, token: str | None = None) -> None:
    """Refuse a changing request that relies on a session's cookies without its token.

    :param token: what came with the request, where it was read already.
    :raises CsrfFailed: when neither the header nor the form field holds it.
    """
    if request.method in SAFE_METHODS:
        return
    if not _is_for(presented() if token is None else token, session_id):
        raise CsrfFailed


def is_form_genuine(token: str, session_id: str | None) -> bool:
    """Whether a form was made by our page for this browser, be it signed in or not."""
    if session_id and _is_for(token, session_id):
        return True
    return _is_for(token, _NOBODY) and hmac.compare_digest(_nonce(token), _nonce(_cookie()))


def presented() -> str:
    """Return the token that came with the request, or an empty string."""
    in_header = request.headers.get(HEADER)
    return in_header or request.form.get(FIELD_BESIDE) or request.form.get(FIELD, "")


def token_for_session(session_id: str) -> str:
    """Return a token for a session, keeping the browser's nonce."""
    return _make(session_id)


def form_token(session_id: str | None) -> str:
    """Return the token for a form on this page, and have the reply set the cookie beside it."""
    token = _make(session_id or _NOBODY)
    if _cookie() != token:
        g.csrf_cookie = token
    return token


def renew(response: Response, session_id: str) -> None:
    """Set the cookie again where a signed-in browser has lost it or holds an old one."""
    if not _is_for(_cookie(), session_id):
        place(response, _make(session_id))


def place(response: Response, token: str, max_age: int | None = None) -> None:
    """Set the cookie that scripts read; the token is no secret from the page's own scripts."""
    settings = parts().settings
    response.set_cookie(
        COOKIE,
        token,
        max_age=max_age,
        path="/",
        domain=settings.cookie_domain or None,
        secure=settings.is_production or settings.cookie_samesite == "None",
        httponly=False,
        samesite=settings.cookie_samesite,
    )


def clear(response: Response) -> None:
    """Take the session's token away, leaving the browser its nonce for forms open elsewhere."""
    place(response, _make(_NOBODY))


def _is_from_anywhere() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and f"{view.__module__}.{view.__qualname__}" in _FROM_ANYWHERE


def _make(whose: str) -> str:
    nonce = g.get("csrf_nonce") or _nonce(_cookie()) or secrets.token_urlsafe(16)
    g.csrf_nonce = nonce
    return f"{nonce}.{_mac(nonce, whose)}"


def _mac(nonce: str, whose: str) -> str:
    key = derive_key(parts().settings.secret_key.get_secret_value(), "csrf")
    return hmac.digest(key, f"{whose}.{nonce}".encode(), "sha256").hex()


def _is_for(token: str, whose: str) -> bool:
    nonce = _nonce(token)
    return bool(nonce) and hmac.compare_digest(token[len(nonce) + 1 :], _mac(nonce, whose))


def _nonce(token: str) -> str:
    match = re.fullmatch(r"([A-Za-z0-9_-]{22})\.[0-9a-f]{64}", token)
    return match[1] if match else ""


def _cookie() -> str:
    return request.cookies.get(COOKIE, "")


def _is_ours(origin: str) -> bool:
    settings = parts().settings
    if origin == settings.base_url or origin in settings.cors_origins:
        return True
    # Development is opened as localhost and as 127.0.0.1 alike.
    ours, theirs = _LOOPBACK.fullmatch(settings.base_url), _LOOPBACK.fullmatch(origin)
    is_same = ours is not None and theirs is not None and ours.groups() == theirs.groups()
    return is_same and not settings.is_production
