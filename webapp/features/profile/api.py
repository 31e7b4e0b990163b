"""One's own account over JSON."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.replies import reply
from webapp.doors.api.rooms import api_room, signed_in
from webapp.doors.api.schemas import UserOut
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.features.profile import flow
from webapp.features.profile.schemas import ProfileIn
from webapp.services.records import Account

blueprint = api_room("profile")


@blueprint.get("/auth/me")
@blueprint.output(UserOut)
@blueprint.doc(summary="Who am I", security=SIGNED_IN)
@signed_in
def me() -> Response:
    """Return the account of whoever is signed in."""
    return _reply(flow.get_profile(current_principal().claims))


@blueprint.patch("/auth/me")
@signed_in
@blueprint.input(ProfileIn)
@blueprint.output(UserOut)
@blueprint.doc(summary="Change my name", security=SIGNED_IN)
def change_me(json_data: ProfileIn) -> Response:
    """Change one's own name; other fields are ignored."""
    claims = current_principal().claims
    if json_data.name is None:
        return _reply(flow.get_profile(claims))
    return _reply(flow.rename(claims, json_data.name, client_of_request()))


def _reply(account: Account) -> Response:
    return reply(UserOut.of(account))
