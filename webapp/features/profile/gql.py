"""One's own account over GraphQL."""

from webapp.doors.credentials import bearer_token
from webapp.doors.gql.replies import User
from webapp.doors.gql.rooms import GqlRoom
from webapp.services.access import account_of, authenticate

room = GqlRoom()


@room.query("me: User!")
def me() -> User:
    """Return the account that the access token in the Authorization header is of."""
    return User.of(account_of(authenticate(bearer_token())))
