"""The GraphQL playground; rooms.py leaves it out in production."""

from flask import Blueprint, Response
from graphql import print_schema

from webapp.doors.gql import PATH
from webapp.doors.gql.schema import schema_of_application
from webapp.doors.guards import public
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import page

blueprint = Blueprint("playground", __name__)


@blueprint.get(PATH)
@public
def playground() -> Response:
    """Show the schema, and a form whose script sends operations."""
    sdl = print_schema(schema_of_application())
    return page("playground/playground.html", path=own(PATH), sdl=sdl)
