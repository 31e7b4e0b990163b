"""People on pages."""

from flask import Blueprint, Response, request

from webapp.doors.credentials import current_principal
from webapp.doors.guards import guard, requires_role, signed_in
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.features.people import flow
from webapp.features.people.forms import PersonForm, RemoveForm
from webapp.services.access import account_of
from webapp.services.accounts import ADMIN
from webapp.services.paging import PAGE
from webapp.services.records import Account

blueprint = Blueprint("people", __name__, url_prefix="/people")
guard(blueprint, signed_in)

NOTICES = {
    "added": "The person is added.",
    "renamed": "The name is changed.",
    "removed": "The person is deleted.",
}


@blueprint.get("")
def show_list() -> Response:
    """List them, the newest first."""
    cursor = request.args.get("cursor", "")
    found = flow.list_people(cursor, PAGE)
    return page(
        "people/people.html",
        account=_me(),
        people=found.items,
        next_cursor=found.next_cursor,
        is_first=not cursor,
        notice=NOTICES.get(request.args.get("notice", "")),
    )


@blueprint.get("/new")
def show_new() -> Response:
    """Ask for a name."""
    return _form(PersonForm())


@blueprint.post("/new")
def add() -> Response:
    """Add somebody."""
    form = PersonForm()
    form.submit(lambda: flow.add_person(_names(form)))
    return _form(form) if form.refusal else see_other(own("/people?notice=added"))


@blueprint.get("/<person_id>")
def show(person_id: str) -> Response:
    """Show somebody, to be renamed."""
    person = flow.get_person(person_id)
    return _form(PersonForm(first_name=person.first_name, last_name=person.last_name), person_id)


@blueprint.post("/<person_id>")
def rename(person_id: str) -> Response:
    """Give somebody another name."""
    form = PersonForm()
    form.submit(lambda: flow.rename_person(person_id, _names(form)))
    return _form(form, person_id) if form.refusal else see_other(own("/people?notice=renamed"))


@blueprint.get("/<person_id>/delete")
@requires_role("admin")
def ask_to_remove(person_id: str) -> Response:
    """Ask first."""
    return _remove_page(person_id, RemoveForm())


@blueprint.post("/<person_id>/delete")
@requires_role("admin")
def remove(person_id: str) -> Response:
    """Delete somebody."""
    form = RemoveForm()
    form.submit(lambda: flow.remove_person(person_id))
    if form.refusal:
        return _remove_page(person_id, form)
    return see_other(own("/people?notice=removed"))


def _names(form: PersonForm) -> flow.Names:
    return flow.Names(form.first_name.data or "", form.last_name.data or "")


def _form(form: PersonForm, person_id: str | None = None) -> Response:
    return form_page(
        "people/person.html",
        form,
        account=_me(),
        person_id=person_id,
        may_remove=person_id is not None and ADMIN in current_principal().claims.roles,
    )


def _remove_page(person_id: str, form: RemoveForm) -> Response:
    person = flow.get_person(person_id)
    return form_page("people/remove.html", form, account=_me(), person=person)


def _me() -> Account:
    return account_of(current_principal().claims)
