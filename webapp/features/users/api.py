"""Other people's accounts over JSON, and the change of one's own name by one's id."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.replies import list_reply, reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import SearchQuery, UserOut
from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal, principal_if_any
from webapp.doors.guards import public, requires_role, signed_in
from webapp.features.users import directory, flow
from webapp.features.users.directory import Listing
from webapp.features.users.schemas import AccountOut, BriefOut, ChangeIn, NewUserIn, UserList
from webapp.services.records import Account
from webapp.services.tokens import AccessClaims

blueprint = api_room("users")


# USERS_DIRECTORY may open the list to everybody, so that the flow says who sees what.
@blueprint.get("/users")
@blueprint.input(SearchQuery, location="query")
@blueprint.output(UserList)
@blueprint.doc(summary="List accounts", security=SIGNED_IN)
@public
def list_users(query_data: SearchQuery) -> Response:
    """Return a page of the accounts that one may see, the newest first.

    Administrators see all of them, whole; others, where USERS_DIRECTORY lets them, ids and names.
    """
    viewer = _viewer()
    listing = Listing(query_data.q, query_data.cursor, query_data.limit)
    page = directory.list_users(listing, viewer)
    return list_reply([_shown(account, viewer) for account in page.items], page.next_cursor)


@blueprint.get("/users/<user_id>")
@blueprint.output(AccountOut)
@blueprint.doc(summary="One account", security=SIGNED_IN)
@public
def get_user(user_id: str) -> Response:
    """Return one account: one's own, or one that one may see in the list."""
    viewer = _viewer()
    return reply(_shown(directory.get_user(user_id, viewer), viewer))


@blueprint.post("/users")
@requires_role("admin")
@blueprint.input(NewUserIn)
@blueprint.output(AccountOut, status_code=201)
@blueprint.doc(summary="Make an account", security=SIGNED_IN)
def create_user(json_data: NewUserIn) -> Response:
    """Make an account for somebody, who gets a mail to set its first password."""
    command = flow.NewUser(json_data.email, None, tuple(json_data.roles), name=json_data.name)
    account = flow.create_user(command, client_of_request(), _claims().user_id)
    return reply(AccountOut.of(account), 201)


@blueprint.patch("/users/<user_id>")
@signed_in
@blueprint.input(ChangeIn)
@blueprint.output(AccountOut)
@blueprint.doc(summary="Change an account", security=SIGNED_IN)
def change_user(user_id: str, json_data: ChangeIn) -> Response:
    """Change a name, roles, or whether it is open; other than administrators, one's own name."""
    claims = _claims()
    directory.check_may_change(user_id, claims, json_data.model_fields_set)
    roles = None if json_data.roles is None else tuple(json_data.roles)
    change = flow.Change(json_data.name, roles, json_data.disabled)
    account = flow.change_user(user_id, change, client_of_request(), claims.user_id)
    return reply(_shown(account, claims))


@blueprint.delete("/users/<user_id>")
@signed_in
@blueprint.doc(
    summary="Delete an account",
    security=SIGNED_IN,
    responses={204: "To be erased in 14 days, unless its owner signs in before."},
)
def delete_user(user_id: str) -> Response:
    """Delete somebody's account as they would themself; administrators only."""
    directory.check_may_manage(user_id, _claims())
    flow.delete_user(user_id, client_of_request(), _claims().user_id)
    return Response(status=204)


@blueprint.post("/users/<user_id>/password-reset")
@signed_in
@blueprint.doc(
    summary="Start a reset of a password",
    security=SIGNED_IN,
    responses={202: "A link is on its way to the account's own address."},
)
def start_reset(user_id: str) -> Response:
    """Mail somebody the link that sets a new password; administrators only."""
    directory.check_may_manage(user_id, _claims())
    flow.start_reset(user_id, client_of_request(), _claims().user_id)
    return Response(status=202)


def _claims() -> AccessClaims:
    return current_principal().claims


def _viewer() -> AccessClaims | None:
    principal = principal_if_any()
    return principal.claims if principal else None


def _shown(account: Account, viewer: AccessClaims | None) -> AccountOut | UserOut | BriefOut:
    if directory.is_admin(viewer):
        return AccountOut.of(account)
    is_own = viewer is not None and viewer.user_id == account.id
    return UserOut.of(account) if is_own else BriefOut.of(account)
