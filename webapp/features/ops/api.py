"""What operators and other services ask, in JSON; outside /api/v1, where they expect it."""

from apiflask import APIBlueprint
from flask import Response, jsonify

from webapp.doors.api.replies import reply
from webapp.doors.api.schemas import StatusReply
from webapp.features.ops import flow

blueprint = APIBlueprint("ops_api", __name__, tag="ops")


@blueprint.get("/healthz")
@blueprint.output(StatusReply)
@blueprint.doc(summary="Is the process up")
def healthz() -> Response:
    """Answer, without asking a store."""
    return reply(StatusReply(status="ok"))


@blueprint.get("/readyz")
@blueprint.output(StatusReply)
@blueprint.doc(summary="Are its stores up, too")
def readyz() -> Response:
    """Answer when the database does; 503 while it does not."""
    flow.check_stores()
    return reply(StatusReply(status="ok"))


@blueprint.get("/.well-known/jwks.json")
@blueprint.doc(summary="Public keys", responses={200: "A JWK Set (RFC 7517)."})
def jwks() -> Response:
    """Return the keys that access tokens verify with."""
    response = jsonify(flow.public_keys())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
