"""Signing out over GraphQL."""

from webapp.doors.credentials import bearer_token
from webapp.doors.gql.rooms import GqlRoom, client_without_cookies
from webapp.errors import NotSignedIn
from webapp.features.sign_out import flow

room = GqlRoom()


@room.mutation("logout: Boolean!")
def logout() -> bool:
    """End the session of the refresh token in the Authorization header; false when it had ended."""
    encoded = bearer_token()
    if not encoded:
        raise NotSignedIn
    return flow.sign_out_by_refresh_token(encoded, client_without_cookies())
