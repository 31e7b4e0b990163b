"""Signing in over GraphQL."""

from webapp.doors.gql.replies import MutationResponse, answer
from webapp.doors.gql.rooms import GqlRoom, client_without_cookies
from webapp.features.sign_in import flow

room = GqlRoom()


@room.mutation("login(email: String!, password: String!): MutationResponse!")
def login(email: str, password: str) -> MutationResponse:
    """Begin a session with an address and a password."""
    command = flow.SignIn(email, password)
    return answer(200, lambda: flow.sign_in(command, client_without_cookies()))
