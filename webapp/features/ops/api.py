"""What operators and other services ask, in JSON; outside /api/v1, where they expect it."""

from apiflask import APIBlueprint
from flask import Response, jsonify, request

from webapp.doors.api.replies import reply
from webapp.doors.api.schemas import StatusReply
from webapp.doors.guards import public
from webapp.features.ops import flow
from webapp.services.metrics import FORMAT

blueprint = APIBlueprint("ops_api", __name__, tag="ops")


@blueprint.get("/healthz")
@blueprint.output(StatusReply)
@blueprint.doc(summary="Is the process up")
@public
def healthz() -> Response:
    """Answer, without asking a store."""
    return reply(StatusReply(status="ok"))


@blueprint.get("/readyz")
@blueprint.output(StatusReply)
@blueprint.doc(summary="Are its stores up, too")
@public
def readyz() -> Response:
    """Answer when the database does; 503 while it does not."""
    flow.check_stores()
    return reply(StatusReply(status="ok"))


@blueprint.get("/metrics")
@blueprint.doc(summary="Numbers for Prometheus", responses={200: "Prometheus's text format."})
@public
def metrics() -> Response:
    """Return what monitoring reads; a proxy in front keeps it from the rest of the world."""
    return Response(flow.measurements(), content_type=FORMAT)


@blueprint.get("/.well-known/jwks.json")
@blueprint.doc(summary="Public keys", responses={200: "A JWK Set (RFC 7517)."})
@public
def jwks() -> Response:
    """Return the keys that access tokens verify with."""
    response = jsonify(flow.public_keys())
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response
