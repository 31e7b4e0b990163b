"""Signing up over GraphQL."""

from webapp.doors.gql.replies import MutationResponse, answer
from webapp.doors.gql.rooms import GqlRoom, client_without_cookies
from webapp.features.sign_up import flow

room = GqlRoom()


@room.mutation("register(email: String!, password: String!): MutationResponse!")
def register(email: str, password: str) -> MutationResponse:
    """Make an account; where verification is not required, its owner is signed in by it."""
    command = flow.SignUp(email, password)
    return answer(201, lambda: flow.sign_up(command, client_without_cookies()))
