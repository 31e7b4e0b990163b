"""What relying parties and proxies ask."""

from urllib.parse import urlsplit

from flask import Response, request

from webapp.doors import csrf
from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.problems import problem
from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.credentials import Principal, bearer_token, require_principal
from webapp.doors.guards import public
from webapp.doors.pages.guards import BOUNCE_PATH
from webapp.doors.pages.paths import safe_next, with_next
from webapp.doors.statuses import refusal_of
from webapp.errors import AuthError, NotSignedIn, TokenExpired, TokenInvalid, TokenRevoked
from webapp.features.relying_parties import flow
from webapp.features.relying_parties.schemas import FeedReply, Since
from webapp.services.parts import parts

blueprint = api_room("relying_parties")

_CHECK = """For nginx `auth_request`, Traefik and Caddy: asks no store. X-Auth-User is the user's
id, X-Auth-Email the address where it is proved, X-Auth-Roles the roles, comma separated. A changing
request (X-Original-Method or X-Forwarded-Method) that relies on cookies and that the browser says
another site had it send is 403. X-Auth-Redirect of a 401 is where to send a browser."""


@blueprint.get("/auth/check")
@blueprint.doc(
    summary="Is somebody signed in",
    description=" ".join(_CHECK.split()),
    security=SIGNED_IN,
    responses={204: "Somebody is, and the headers say who.", 401: "Nobody is."},
)
@public  # It says itself who comes in: nobody is to be bounced or led on in a proxy's stead.
def check() -> Response:
    """Say who is signed in, to a proxy that asks before it passes a request on."""
    try:
        principal = require_principal()
    except (NotSignedIn, TokenInvalid, TokenExpired, TokenRevoked) as error:
        response = problem(refusal_of(error))
        if way := _way_in(error):
            response.headers["X-Auth-Redirect"] = way
        return response
    if principal.is_by_cookie:
        csrf.check_original()
    return _identity(principal)


@blueprint.get("/auth/revocations")
@blueprint.input(Since, location="query")
@blueprint.output(FeedReply)
@blueprint.doc(
    summary="Which sessions ended",
    description="For services that verify tokens themselves, with one of REVOCATIONS_TOKENS as a "
    "bearer token. An access token whose `sid` is listed is good no more if its `iat` is earlier "
    "than `not_before`. Goes back one access-token lifetime; what was told may be told again.",
)
@public  # For services, which have secrets of their own and no account.
def revocations(query_data: Since) -> Response:
    """Say which sessions ended or changed since the last time."""
    flow.check_service(bearer_token())
    response = reply(FeedReply.of(flow.read_feed(query_data.since)))
    response.add_etag()
    response.make_conditional(request)
    return response


def _identity(principal: Principal) -> Response:
    claims = principal.claims
    response = Response(status=204)
    response.headers["X-Auth-User"] = claims.user_id
    response.headers["X-Auth-Roles"] = ",".join(claims.roles)
    if claims.email:
        # Addresses may be of any script, and the bytes of a header are what WSGI calls latin-1.
        response.headers["X-Auth-Email"] = claims.email.encode().decode("latin-1")
    return response


def _way_in(error: AuthError) -> str | None:
    """Return where a browser comes back from signed in; None for whoever is no browser on a page.

    A form that was sent cannot be brought back: the page that it is on is not one of ours.
    """
    if bearer_token() is not None or not csrf.is_original_safe():
        return None
    base = parts().settings.base_url
    path = BOUNCE_PATH if isinstance(error, TokenExpired) else "/login"
    host = request.headers.get("X-Forwarded-Host", request.host)
    target = request.headers.get("X-Original-URI") or request.headers.get("X-Forwarded-Uri")
    if target is None or host != urlsplit(base).netloc:
        return base + path  # `next` leads to our own host alone.
    return base + with_next(path, safe_next(target, "/"))
