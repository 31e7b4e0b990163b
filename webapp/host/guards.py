"""Guards for a host's views, to be read as the sentences that they enforce."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from webapp import clock
from webapp.doors.credentials import Principal
from webapp.doors.sources import shown_token
from webapp.errors import (
    AuthError,
    EmailNotVerified,
    Forbidden,
    NotSignedIn,
    ReauthenticationRequired,
    TokenInvalid,
    TokenRevoked,
)
from webapp.host.answers import refuse
from webapp.host.mounted import mounted
from webapp.host.visitor import current_principal, current_user, identify

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object])
View = Callable[P, ResponseReturnValue]

_PUBLIC = "is_public_beside_latchkey"


def signed_in(view: View[P]) -> View[P]:
    """Let nobody in who is not signed in."""
    return _guarded(view, lambda _principal: None)


def maybe_signed_in(view: View[P]) -> View[P]:
    """Let everybody in, and know who is signed in; an access token that expired is renewed first.

    Only what the view is then told may depend on it: `current_principal()` is None for strangers.
    """

    @wraps(view)
    def known(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        refusal = _check(lambda _principal: None, is_open=True)
        return view(*args, **kwargs) if refusal is None else refusal

    return known


def requires_role(*roles: str) -> Callable[[View[P]], View[P]]:
    """Let in whoever is signed in and has one of these roles."""

    def check(principal: Principal) -> None:
        if not set(roles) & set(principal.claims.roles):
            raise Forbidden

    return lambda view: _guarded(view, check)


def requires_verified_email(view: View[P]) -> View[P]:
    """Let in whoever is signed in and has proved their address; takes one SQL statement."""

    def check(_principal: Principal) -> None:
        user = current_user()
        if user is None or not user.email_verified:
            raise EmailNotVerified

    return _guarded(view, check)


def requires_recent_sign_in(minutes: float = 10) -> Callable[[View[P]], View[P]]:
    """Let in whoever showed their password not longer ago than this; ask others for it first."""

    def check(principal: Principal) -> None:
        age = clock.now().timestamp() - principal.claims.auth_time
        if age > timedelta(minutes=minutes).total_seconds():
            raise ReauthenticationRequired

    return lambda view: _guarded(view, check)


def public(view: F) -> F:
    """Mark a view that everybody may see, although its blueprint or application is guarded."""
    setattr(view, _PUBLIC, True)
    return view


def check_place() -> Response | None:
    """Guard a whole blueprint or application, before its views; what is public passes.

    Whichever of several guards around a view asks, the innermost answers.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, _PUBLIC, False):
        return None  # Where there is no view, the host says so.
    is_question = request.method == "OPTIONS"
    if is_question and getattr(request.url_rule, "provide_automatic_options", False):
        return None  # Browsers ask before they send credentials along (CORS).
    return _check(lambda _principal: None)


def _guarded(view: View[P], check: Callable[[Principal], None]) -> View[P]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        refusal = _check(check)
        return view(*args, **kwargs) if refusal is None else refusal

    return guarded


def _check(check: Callable[[Principal], None], is_open: bool = False) -> Response | None:
    """Return what to answer in place of the view, or None when the view may answer."""
    guard = mounted().guard_of_request()
    shown = shown_token(guard.sources)
    try:
        check(current_principal() or identify(guard, shown))
    except AuthError as error:
        if is_open and isinstance(error, NotSignedIn | TokenInvalid | TokenRevoked):
            return None
        return refuse(error, guard.is_helped_by_pages(shown))
    return None
