"""The list of people: any signed-in person reads and writes it. Who may delete, the doors say."""

from dataclasses import dataclass

from webapp import clock
from webapp.errors import FieldError, NotFound, ValidationFailed
from webapp.services import policy
from webapp.services.ids import new_id
from webapp.services.paging import Page, decode_cursor, page_of
from webapp.stores import people
from webapp.stores.people import Person
from webapp.stores.transactions import read, transact

NAME_MAX_LENGTH = 30


@dataclass(frozen=True, slots=True)
class Names:
    """What somebody is called."""

    first_name: str
    last_name: str


def list_people(cursor: str, limit: int) -> Page[Person]:
    """Return a page of the people, the newest first.

    :raises ValidationFailed: when the cursor is none of this list.
    """
    before = decode_cursor(cursor, 1)[0] if cursor else ""
    rows = read(lambda: people.newest(before, limit + 1))
    return page_of(rows, limit, lambda person: [person.id])


def get_person(person_id: str) -> Person:
    """Return one of them.

    :raises NotFound: when there is nobody of that id.
    """
    person = read(lambda: people.find(person_id))
    if person is None:
        raise NotFound
    return person


def add_person(names: Names) -> Person:
    """Add somebody.

    :raises ValidationFailed: when a name cannot be used.
    """
    names = _checked(names)
    person = Person(new_id(), names.first_name, names.last_name, clock.now())
    transact(lambda: people.add(person))
    return person


def rename_person(person_id: str, names: Names) -> Person:
    """Give somebody another name.

    :raises ValidationFailed: when a name cannot be used.
    :raises NotFound: when there is nobody of that id.
    """
    names = _checked(names)
    if not transact(lambda: people.rename(person_id, names.first_name, names.last_name)):
        raise NotFound
    return get_person(person_id)


def remove_person(person_id: str) -> None:
    """Delete somebody.

    :raises NotFound: when there is nobody of that id.
    """
    if not transact(lambda: people.remove(person_id)):
        raise NotFound


def _checked(names: Names) -> Names:
    """Return the names trimmed; tell of both at once when neither can be used."""
    return Names(
        *policy.check_all(
            lambda: _check("first_name", names.first_name),
            lambda: _check("last_name", names.last_name),
        )
    )


def _check(field: str, name: str) -> str:
    name = policy.check_name(name, field, NAME_MAX_LENGTH)
    if not name:
        message = f"Enter a {field.replace('_', ' ')}."
        raise ValidationFailed(FieldError(field, "missing", message))
    return name
