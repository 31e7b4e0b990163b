"""Cookies: placed in one way, cleared in one way, and their names in one place."""

from datetime import timedelta

from flask import Response, current_app, request
from flask_jwt_extended import (
    set_access_cookies,
    set_refresh_cookies,
    unset_access_cookies,
    unset_refresh_cookies,
)

from webapp.doors import csrf
from webapp.services.parts import parts
from webapp.services.sessions import SignedIn

REFRESH_PATH = "/api/v1/auth/refresh"
SIGN_UP_LIFETIME = timedelta(hours=24)


def access_cookie() -> str | None:
    """Return the access token in the request's cookies, if there is one."""
    return request.cookies.get(current_app.config["JWT_ACCESS_COOKIE_NAME"])


def refresh_cookie() -> str | None:
    """Return the refresh token in the request's cookies, which come below the refresh path only."""
    return request.cookies.get(current_app.config["JWT_REFRESH_COOKIE_NAME"])


def place(response: Response, signed_in: SignedIn) -> None:
    """Put a session's tokens into cookies.

    The access cookie lives as long as the refresh cookie, so that an expired token in it still
    tells "come back through refresh" from "anonymous".
    """
    max_age = None
    if signed_in.session.is_persistent:
        max_age = max(1, int(signed_in.refresh_expires_in.total_seconds()))
    set_access_cookies(response, signed_in.access_token, max_age=max_age)
    set_refresh_cookies(response, signed_in.refresh_token, max_age=max_age)
    csrf.place(response, csrf.token_for_session(signed_in.session.id), max_age)
    if sign_up_cookie():
        _set_sign_up(response, "", 0)


def clear(response: Response) -> None:
    """Take a session's cookies away."""
    unset_access_cookies(response)
    unset_refresh_cookies(response)
    csrf.clear(response)


def sign_up_cookie() -> str | None:
    """Return what marks the browser that signed up, if this is one."""
    return request.cookies.get(_sign_up_name())


def place_sign_up(response: Response, value: str) -> None:
    """Mark this browser as the one that signed up, until the link in the mail has expired."""
    _set_sign_up(response, value, int(SIGN_UP_LIFETIME.total_seconds()))


def _sign_up_name() -> str:
    return "__Host-sign_up" if parts().settings.is_production else "sign_up"


def _set_sign_up(response: Response, value: str, max_age: int) -> None:
    settings = parts().settings
    response.set_cookie(
        _sign_up_name(),
        value,
        max_age=max_age,
        path="/",
        secure=settings.is_production or settings.cookie_samesite == "None",
        httponly=True,
        samesite=settings.cookie_samesite,
    )
