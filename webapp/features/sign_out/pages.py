"""Signing out on a page."""

from flask import Blueprint, Response

from webapp.doors import cookies, csrf
from webapp.doors.client import client_of_request
from webapp.doors.credentials import cookie_session_id
from webapp.doors.guards import public
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import page, see_other
from webapp.features.sign_out import flow

blueprint = Blueprint("sign_out", __name__)


@blueprint.get("/logout")
@public
def ask() -> Response:
    """Ask first: a link, or a picture on another site, must not sign anybody out."""
    return page("sign_out/sign_out.html")


@blueprint.post("/logout")
@public
def sign_out() -> Response:
    """End this browser's session; an expired access token says well enough which one it is."""
    session_id = cookie_session_id()
    if session_id:
        csrf.check_session(session_id)
        flow.sign_out(session_id, client_of_request())
    response = see_other(own("/login?notice=signed_out"))
    cookies.clear(response)
    return response
