"""Cookies: placed in one way, cleared in one way, and their names in one place."""

from datetime import timedelta

from flask import Response, current_app, request
from flask_jwt_extended import (
    set_access_cookies,
    set_refresh_cookies,
    unset_access_cookies,
    unset_refresh_cookies,
)

from config import Settings
from webapp import clock
from webapp.doors import csrf
from webapp.services.parts import parts
from webapp.services.records import Session
from webapp.services.sessions import Reauthenticated, SignedIn

REFRESH_PATH = "/api/v1/auth/refresh"
SIGN_UP, SIGN_UP_LIFETIME = "sign_up", timedelta(hours=24)
# As long as browsers keep any cookie.
DEVICE, DEVICE_LIFETIME = "device", timedelta(days=400)


def access_cookie_name(settings: Settings) -> str:
    """Return the name of the access token's cookie."""
    is_bound_to_host = settings.is_production and not settings.cookie_domain
    return "__Host-access_token" if is_bound_to_host else "access_token"


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
    max_age = _max_age(signed_in.session, signed_in.refresh_expires_in)
    set_access_cookies(response, signed_in.access_token, max_age=max_age)
    set_refresh_cookies(response, signed_in.refresh_token, max_age=max_age)
    csrf.place(response, csrf.token_for_session(signed_in.session.id), max_age)
    if sign_up_cookie():
        set_hidden(response, SIGN_UP, "", timedelta(0))
    if signed_in.device:
        name = f"{DEVICE}_{signed_in.account.id[-12:]}"
        lifetime = DEVICE_LIFETIME if signed_in.session.is_persistent else None
        set_hidden(response, name, signed_in.device, lifetime)


def place_access(response: Response, result: Reauthenticated) -> None:
    """Put a new access token into its cookie; the session and the other cookies stay."""
    left = result.session.expires_at - clock.now()
    max_age = _max_age(result.session, left)
    set_access_cookies(response, result.access_token, max_age=max_age)


def clear(response: Response) -> None:
    """Take a session's cookies away."""
    unset_access_cookies(response)
    unset_refresh_cookies(response)
    csrf.clear(response)


def sign_up_cookie() -> str | None:
    """Return what marks the browser that signed up, if this is one."""
    return hidden_cookies(SIGN_UP).get(SIGN_UP)


def device_cookies() -> tuple[str, ...]:
    """Return what this browser is recognized by, one for each account; a few will do."""
    return tuple(hidden_cookies(f"{DEVICE}_").values())[:20]


def place_sign_up(response: Response, value: str) -> None:
    """Mark this browser as the one that signed up, until the link in the mail has expired."""
    set_hidden(response, SIGN_UP, value, SIGN_UP_LIFETIME)


def _max_age(session: Session, left: timedelta) -> int | None:
    """Seconds that a session's cookies live; None lets them end with the browser."""
    if not session.is_persistent:
        return None
    return max(1, int(left.total_seconds()))


def _prefixed(name: str) -> str:
    return f"__Host-{name}" if parts().settings.is_production else name


def hidden_cookies(prefix: str) -> dict[str, str]:
    """Return the cookies of ours that begin with this, without the prefix of production."""
    beginning = _prefixed(prefix)
    names = [name for name in request.cookies if name.startswith(beginning)]
    return {prefix + name[len(beginning) :]: request.cookies[name] for name in names}


def set_hidden(
    response: Response,
    name: str,
    value: str,
    lifetime: timedelta | None,
    same_site: str | None = None,
) -> None:
    """Set a cookie that scripts cannot read.

    :param lifetime: without one it ends with the browser; none at all takes it away.
    :param same_site: in place of what COOKIE_SAMESITE says.
    """
    settings = parts().settings
    response.set_cookie(
        _prefixed(name),
        value,
        max_age=None if lifetime is None else int(lifetime.total_seconds()),
        path="/",
        secure=settings.is_production or settings.cookie_samesite == "None",
        httponly=True,
        samesite=same_site or settings.cookie_samesite,
    )
