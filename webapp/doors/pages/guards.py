"""Who may see a page, and the way back for whoever's access token has just expired."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, request

from webapp.doors.cookies import REFRESH_PATH
from webapp.doors.credentials import current_principal, require_principal
from webapp.doors.csrf import SAFE_METHODS
from webapp.doors.pages.paths import this_path, with_next
from webapp.doors.pages.rendering import see_other, send_to
from webapp.errors import (
    NotSignedIn,
    ReauthenticationRequired,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from webapp.services.reauthentication import check_recent_sign_in

P = ParamSpec("P")

REAUTHENTICATE_PATH = "/reauthenticate"
BOUNCE_PATH = f"{REFRESH_PATH}/return"


def signed_in(view: Callable[P, Response]) -> Callable[P, Response]:
    """Show a page to whoever is signed in; send others to sign in and then back."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            require_principal()
        except TokenExpired:
            return bounce()
        except (NotSignedIn, TokenInvalid, TokenRevoked):
            return see_other(with_next("/login", this_path()))
        return view(*args, **kwargs)

    return guarded


def recently_signed_in(view: Callable[P, Response]) -> Callable[P, Response]:
    """Under `signed_in`: ask for the password first when the sign-in is older than ten minutes."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            check_recent_sign_in(current_principal().claims)
        except ReauthenticationRequired:
            is_form = request.method not in SAFE_METHODS
            return send_to(reauthenticate_path(this_path(), is_form), 307 if is_form else 302)
        return view(*args, **kwargs)

    return guarded


def reauthenticate_path(target: str, is_form: bool) -> str:
    """Return where to ask for the password, on the way to a page or with a form sent to it."""
    return with_next(REAUTHENTICATE_PATH, target) + ("&again=1" if is_form else "")


def is_signed_in() -> bool:
    """Whether somebody is signed in, on a page that everybody may see.

    :raises TokenExpired: when a refresh would tell.
    """
    try:
        require_principal()
    except (NotSignedIn, TokenInvalid, TokenRevoked):
        return False
    return True


def bounce() -> Response:
    """Send a browser through the refresh path and back here; 307 keeps a form and what is in it."""
    status = 302 if request.method in SAFE_METHODS else 307
    return send_to(with_next(BOUNCE_PATH, this_path()), status)
