"""What signs in to one's account, over JSON."""

from flask import Response, jsonify

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.rooms import api_room
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import signed_in
from webapp.features.connections import flow
from webapp.features.connections.schemas import IdentityList, IdentityOut
from webapp.features.social import flow as social
from webapp.features.social.schemas import NativeIn

blueprint = api_room("connections")


@blueprint.get("/auth/identities")
@blueprint.output(IdentityList)
@blueprint.doc(summary="What signs in to my account", security=SIGNED_IN)
@signed_in
def list_identities() -> Response:
    """Return the providers that are connected."""
    found = flow.list_identities(current_principal().claims)
    return jsonify(IdentityList(data=[IdentityOut.of(i) for i in found]).model_dump(mode="json"))


@blueprint.post("/auth/identities/<provider_id>")
@signed_in
@blueprint.input(NativeIn)
@blueprint.doc(summary="Connect a provider", security=SIGNED_IN, responses={204: "Connected."})
def link(provider_id: str, json_data: NativeIn) -> Response:
    """Have a provider sign in to one's own account, with what a native app holds."""
    client = client_of_request()
    native = social.Native(
        json_data.id_token, json_data.access_token, json_data.nonce, json_data.name or ""
    )
    identity = social.identify_native(provider_id, native, client)
    flow.link(identity, current_principal().claims, client)
    return Response(status=204)


@blueprint.delete("/auth/identities/<provider_id>")
@blueprint.doc(
    summary="Disconnect a provider", security=SIGNED_IN, responses={204: "Disconnected."}
)
@signed_in
def unlink(provider_id: str) -> Response:
    """Have a provider not sign in any more; the last way in cannot be removed."""
    flow.unlink(provider_id, current_principal().claims, client_of_request())
    return Response(status=204)
