"""Who may see a page, and the way back for whoever's access token has just expired."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, request

from webapp.doors.cookies import REFRESH_PATH
from webapp.doors.credentials import require_principal
from webapp.doors.csrf import SAFE_METHODS
from webapp.doors.pages.paths import this_path, with_next
from webapp.doors.pages.rendering import see_other, send_to
from webapp.errors import NotSignedIn, TokenExpired, TokenInvalid, TokenRevoked

P = ParamSpec("P")

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
