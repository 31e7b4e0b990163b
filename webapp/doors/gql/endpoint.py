"""`POST /graphql`: a document is read, measured, checked and run, in this order.

Only bearer tokens count here, so that no other site can have a browser do anything; cookies are
neither read nor set. Nothing is run by GET.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from graphql import DocumentNode, GraphQLError, GraphQLSchema, execute_sync, parse, validate
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from webapp.doors.gql import PATH, limits
from webapp.doors.gql.problems import refused, unreadable
from webapp.doors.gql.schema import read_attribute, schema_of_application
from webapp.doors.guards import public
from webapp.services.parts import parts

blueprint = Blueprint("graphql", __name__)


class Asked(BaseModel):
    """The body; a list of them, which some clients send to save requests, is refused."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    query: str
    operationName: str | None = None  # noqa: N815 - the specification's name
    variables: dict[str, Any] | None = None


@blueprint.post(PATH)
@public
def graphql() -> Response:
    """Run the one operation that a request asks for."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    schema = schema_of_application()
    is_production = parts().settings.is_production
    try:
        asked = Asked.model_validate(request.get_json())
        document = parse(
            asked.query,
            max_lexical_tokens=limits.MAX_TOKENS,
            max_comments=limits.MAX_COMMENTS,
        )
    except ValidationError:
        return unreadable([GraphQLError("Send one object: {query, variables?, operationName?}.")])
    except GraphQLError as error:
        return unreadable([error])
    if errors := _check(schema, document, is_production):
        return unreadable(errors)
    return _run(schema, document, asked, is_production)


def _check(
    schema: GraphQLSchema, document: DocumentNode, is_production: bool
) -> list[GraphQLError]:
    errors: list[GraphQLError] = []
    for rules in (limits.size_rules(), limits.all_other_rules(is_production)):
        errors = errors or validate(
            schema,
            document,
            rules,
            max_errors=limits.MAX_ERRORS,
            hide_suggestions=is_production,
        )
    return errors


def _run(
    schema: GraphQLSchema, document: DocumentNode, asked: Asked, is_production: bool
) -> Response:
    result = execute_sync(
        schema,
        document,
        variable_values=asked.variables,
        operation_name=asked.operationName,
        field_resolver=read_attribute,
        max_coercion_errors=limits.MAX_ERRORS,
        hide_suggestions=is_production,
    )
    if not result.errors:
        return jsonify(data=result.data)
    # There is one field at the root and it is never null, so that this is all there is.
    error = result.errors[0]
    cause = error.original_error
    if cause is None or (isinstance(cause, GraphQLError) and len(error.path or ()) < 2):
        return unreadable(result.errors)  # Variables and arguments of the wrong type.
    return refused(error, cause)
