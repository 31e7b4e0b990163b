"""Refreshing over GraphQL: there is no place in the reply for a new refresh token."""

from webapp.doors.credentials import bearer_token
from webapp.doors.gql.rooms import GqlRoom, client_without_cookies
from webapp.errors import NotSignedIn
from webapp.features.refresh import flow

room = GqlRoom()


@room.mutation("refresh: String!")
def refresh() -> str:
    """Return a new access token for the refresh token in the Authorization header."""
    encoded = bearer_token()
    if not encoded:
        raise NotSignedIn
    return flow.renew_access(encoded, client_without_cookies()).access_token
