"""The mark of the browser that signed up: a link that is opened there signs in, too."""

from dataclasses import dataclass

from flask import Response
from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.doors import cookies
from webapp.services.parts import parts


@dataclass(frozen=True, slots=True)
class SignUpMark:
    """Which address this browser signed up with, its link's secret, and where it was going."""

    email: str
    browser_secret: str
    target: str


def mark_browser(response: Response, email: str, secret: str, target: str = "") -> None:
    """Mark the browser that signs up, on its way to a local path, the account by default."""
    cookies.place_sign_up(response, _serializer().dumps([email, secret, target]))


def browsers_mark() -> SignUpMark | None:
    """Return the mark of this browser, if it has signed up within the last day."""
    value = cookies.sign_up_cookie()
    if not value:
        return None
    try:
        email, secret, target = _serializer().loads(
            value, max_age=int(cookies.SIGN_UP_LIFETIME.total_seconds())
        )
    except (BadData, ValueError, TypeError):
        return None
    return SignUpMark(str(email), str(secret), str(target))


def browser_secret(email: str | None = None) -> str | None:
    """Return the secret that this browser's link is bound to, if it has signed up.

    :param email: the address that it has to have signed up with, however spelt.
    """
    mark = browsers_mark()
    if mark is None or (email is not None and mark.email != email.strip().lower()):
        return None
    return mark.browser_secret


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(parts().settings.secret_key.get_secret_value(), salt="sign-up")
