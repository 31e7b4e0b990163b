"""One's own account over JSON."""

from flask import Response

from webapp.doors import cookies
from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import UserOut
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.exports import export_file
from webapp.doors.guards import signed_in
from webapp.features.profile import flow
from webapp.features.profile.export import export
from webapp.features.profile.schemas import DeleteIn, ProfileIn
from webapp.services.access import account_of
from webapp.services.records import Account

blueprint = api_room("profile")


@blueprint.get("/auth/me")
@blueprint.output(UserOut)
@blueprint.doc(summary="Who am I", security=SIGNED_IN)
@signed_in
def me() -> Response:
    """Return the account of whoever is signed in."""
    return _reply(account_of(current_principal().claims))


@blueprint.patch("/auth/me")
@signed_in
@blueprint.input(ProfileIn)
@blueprint.output(UserOut)
@blueprint.doc(summary="Change my name", security=SIGNED_IN)
def change_me(json_data: ProfileIn) -> Response:
    """Change one's own name; other fields are ignored."""
    claims = current_principal().claims
    if json_data.name is None:
        return _reply(account_of(claims))
    return _reply(flow.rename(claims, json_data.name, client_of_request()))


@blueprint.delete("/auth/me")
@signed_in
@blueprint.input(DeleteIn)
@blueprint.doc(
    summary="Delete my account",
    security=SIGNED_IN,
    responses={204: "To be erased in 14 days, unless its owner signs in."},
)
def delete_me(json_data: DeleteIn) -> Response:
    """Delete one's own account; needs a sign-in within the last ten minutes."""
    principal = current_principal()
    flow.delete(principal.claims, json_data.password, client_of_request())
    response = Response(status=204)
    if principal.is_by_cookie:
        cookies.clear(response)
    return response


@blueprint.get("/auth/me/export")
@blueprint.doc(
    summary="All that is kept about me",
    security=SIGNED_IN,
    responses={200: "A JSON file."},
)
@signed_in
def export_me() -> Response:
    """Return all that is kept about whoever is signed in."""
    return export_file(export(current_principal().claims))


def _reply(account: Account) -> Response:
    return reply(UserOut.of(account))
