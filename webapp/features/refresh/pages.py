"""Refreshing for pages: a bounce through the refresh path, which alone gets the refresh cookie."""

from flask import Blueprint, Response, request

from webapp.doors import cookies, csrf
from webapp.doors.client import client_of_request
from webapp.doors.guards import public
from webapp.doors.pages.guards import BOUNCE_PATH
from webapp.doors.pages.paths import own, safe_next, with_next
from webapp.doors.pages.rendering import see_other, send_to
from webapp.errors import NotSignedIn, RefreshReused, TokenExpired, TokenInvalid, TokenRevoked
from webapp.features.refresh import flow
from webapp.services.sessions import SignedIn

blueprint = Blueprint("refresh", __name__)


@blueprint.route(BOUNCE_PATH, methods=["GET", "POST"])
@public
def bounce() -> Response:
    """Refresh, set the cookies and go back; a form comes through with all that is in it.

    Only when the session is over for certain are the cookies cleared. A store that is down
    leaves them as they are.
    """
    target = safe_next(request.args.get("next"), default=own("/"))
    if request.method == "HEAD":
        return Response(status=204)
    try:
        signed_in = _refresh()
    except (NotSignedIn, TokenInvalid, TokenExpired, TokenRevoked, RefreshReused):
        response = see_other(with_next("/login", target))
        cookies.clear(response)
        return response
    back = send_to(target, 302 if request.method == "GET" else 307)
    cookies.place(back, signed_in)
    return back


def _refresh() -> SignedIn:
    encoded = cookies.refresh_cookie()
    if not encoded:
        raise NotSignedIn
    csrf.check_session(flow.session_of(encoded))
    return flow.refresh(encoded, client_of_request())
