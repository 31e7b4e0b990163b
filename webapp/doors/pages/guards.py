"""Where a page sends whoever a guard refuses, and the way back."""

from flask import Response, request

from webapp.doors.cookies import REFRESH_PATH
from webapp.doors.credentials import require_principal
from webapp.doors.csrf import SAFE_METHODS
from webapp.doors.pages.paths import this_path, with_next
from webapp.doors.pages.rendering import send_to
from webapp.errors import NotSignedIn, TokenInvalid, TokenRevoked

REAUTHENTICATE_PATH = "/reauthenticate"
BOUNCE_PATH = f"{REFRESH_PATH}/return"


def sign_in_path() -> str:
    """Return where to sign in, on the way back to the page at hand."""
    return with_next("/login", this_path())


def ask_for_password() -> Response:
    """Send a browser to show the password and back here; 307 keeps a form and what is in it."""
    is_form = request.method not in SAFE_METHODS
    return send_to(reauthenticate_path(this_path(), is_form), 307 if is_form else 302)


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
