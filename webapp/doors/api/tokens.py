"""Tokens in JSON: in the way that the client asked for, or came with."""

from flask import Response

from webapp.doors import cookies
from webapp.doors.api.replies import reply
from webapp.doors.api.schemas import TokenReply, Transport, UserOut
from webapp.services.sessions import Reauthenticated, SignedIn


def access_token_reply(result: Reauthenticated, transport: Transport) -> Response:
    """Return a new access token for a session that stays: no new refresh token."""
    is_bearer = transport == "bearer"
    body = TokenReply(
        token_type="Bearer" if is_bearer else "cookie",
        expires_in=int(result.access_expires_in.total_seconds()),
        user=UserOut.of(result.account),
        access_token=result.access_token if is_bearer else None,
    )
    response = reply(body)
    if not is_bearer:
        cookies.place_access(response, result)
    return response


def token_reply(signed_in: SignedIn, transport: Transport, status: int = 200) -> Response:
    """Return a session's tokens: as cookies and none in the body, or in the body and no cookie."""
    is_bearer = transport == "bearer"
    body = TokenReply(
        token_type="Bearer" if is_bearer else "cookie",
        expires_in=int(signed_in.access_expires_in.total_seconds()),
        user=UserOut.of(signed_in.account),
        access_token=signed_in.access_token if is_bearer else None,
        refresh_token=signed_in.refresh_token if is_bearer else None,
        refresh_expires_in=(
            int(signed_in.refresh_expires_in.total_seconds()) if is_bearer else None
        ),
    )
    response = reply(body, status)
    if not is_bearer:
        cookies.place(response, signed_in)
    return response
