"""People over JSON."""

from flask import Response

from webapp.doors.api.openapi import SIGNED_IN
from webapp.doors.api.replies import list_reply, reply
from webapp.doors.api.rooms import api_room
from webapp.doors.api.schemas import PageQuery
from webapp.doors.guards import requires_role, signed_in
from webapp.features.people import flow
from webapp.features.people.schemas import PersonIn, PersonList, PersonOut

blueprint = api_room("people")


@blueprint.get("/people")
@signed_in
@blueprint.input(PageQuery, location="query")
@blueprint.output(PersonList)
@blueprint.doc(summary="List people", security=SIGNED_IN)
def list_people(query_data: PageQuery) -> Response:
    """Return a page of the people, the newest first."""
    page = flow.list_people(query_data.cursor, query_data.limit)
    return list_reply([PersonOut.of(person) for person in page.items], page.next_cursor)


@blueprint.get("/people/<person_id>")
@signed_in
@blueprint.output(PersonOut)
@blueprint.doc(summary="One person", security=SIGNED_IN)
def get_person(person_id: str) -> Response:
    """Return somebody."""
    return reply(PersonOut.of(flow.get_person(person_id)))


@blueprint.post("/people")
@signed_in
@blueprint.input(PersonIn)
@blueprint.output(PersonOut, status_code=201)
@blueprint.doc(summary="Add a person", security=SIGNED_IN)
def add_person(json_data: PersonIn) -> Response:
    """Add somebody."""
    person = flow.add_person(flow.Names(json_data.first_name, json_data.last_name))
    return reply(PersonOut.of(person), 201)


@blueprint.put("/people/<person_id>")
@signed_in
@blueprint.input(PersonIn)
@blueprint.output(PersonOut)
@blueprint.doc(summary="Rename a person", security=SIGNED_IN)
def rename_person(person_id: str, json_data: PersonIn) -> Response:
    """Give somebody another name."""
    names = flow.Names(json_data.first_name, json_data.last_name)
    return reply(PersonOut.of(flow.rename_person(person_id, names)))


@blueprint.delete("/people/<person_id>")
@requires_role("admin")
@blueprint.doc(summary="Delete a person", security=SIGNED_IN, responses={204: "Deleted."})
def remove_person(person_id: str) -> Response:
    """Delete somebody; administrators only."""
    flow.remove_person(person_id)
    return Response(status=204)
