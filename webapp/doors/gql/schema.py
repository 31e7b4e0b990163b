"""The schema: the types that rooms share, and the operations that they declare."""

import re
from collections.abc import Iterable
from typing import cast

from flask import Flask, current_app
from graphql import GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, build_schema

from webapp.doors.gql.rooms import GqlRoom, Operation

_KEY = "latchkey_graphql"

_TYPES = '''
"""What is wrong with one argument."""
type FieldError {
  path: String!
  message: String!
}

"""What became of a sign-up or a sign-in."""
type MutationResponse {
  """200 or 201 when it worked, 401 when it was refused."""
  status: Int!
  errors: [FieldError]!
  """Of a sign-in: a JSON string {access_token, refresh_token}."""
  payload: String
}

"""A person as the person sees themself; times are RFC 3339 in UTC."""
type User {
  id: ID!
  email: String!
  """Whether the address is proved."""
  confirmed: Boolean!
  createdAt: String!
  """When the account last changed, by a sign-in too."""
  updatedAt: String!
}
'''


def prepare(app: Flask, rooms: Iterable[GqlRoom]) -> None:
    """Give an application its schema."""
    app.extensions[_KEY] = make_schema(rooms)


def schema_of_application() -> GraphQLSchema:
    """Return the schema of the application at hand."""
    return cast(GraphQLSchema, current_app.extensions[_KEY])


def make_schema(rooms: Iterable[GqlRoom]) -> GraphQLSchema:
    """Put the rooms' operations together.

    :raises TypeError: when an operation could answer null: an error would then no longer be
        the whole answer, as webapp.doors.gql.endpoint takes it to be.
    """
    rooms = list(rooms)
    kinds = {
        "Query": [operation for room in rooms for operation in room.queries],
        "Mutation": [operation for room in rooms for operation in room.mutations],
    }
    schema = build_schema(_TYPES + "".join(_declaration(*kind) for kind in kinds.items()))
    for kind, operations in kinds.items():
        fields = cast(GraphQLObjectType, schema.type_map[kind]).fields
        for operation in operations:
            if not operation.signature.endswith("!"):
                raise TypeError(f"{operation.name} could answer null")
            fields[operation.name].resolve = _resolver(operation)
    return schema


def read_attribute(source: object, info: GraphQLResolveInfo[None]) -> object:
    """Resolve `createdAt` by the attribute `created_at`."""
    name = re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", info.field_name)
    return cast(object, getattr(source, name))


def _declaration(kind: str, operations: list[Operation]) -> str:
    fields = "\n".join(f'"""{one.description}"""\n{one.signature}' for one in operations)
    return f"\ntype {kind} {{\n{fields}\n}}\n"


def _resolver(operation: Operation) -> object:
    def resolve(_root: object, _info: GraphQLResolveInfo[None], **arguments: object) -> object:
        return operation.resolve(**arguments)

    return resolve
