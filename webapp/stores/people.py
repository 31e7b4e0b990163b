"""People: the sample resource."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from webapp.models import PersonRow
from webapp.stores.statements import changes_one
from webapp.stores.transactions import execute


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the list."""

    id: str
    first_name: str
    last_name: str
    created_at: datetime


_FIELDS = tuple(Person.__dataclass_fields__)
_COLUMNS = tuple(getattr(PersonRow, field) for field in _FIELDS)


def newest(before_id: str, limit: int) -> list[Person]:
    """Return people added before one, the newest first; from the newest without an id."""
    query = select(*_COLUMNS).order_by(PersonRow.id.desc()).limit(limit)
    if before_id:
        query = query.where(PersonRow.id < before_id)
    return [Person(*row) for row in execute(query)]


def find(person_id: str) -> Person | None:
    """Return one of them, or None."""
    row = execute(select(*_COLUMNS).where(PersonRow.id == person_id)).one_or_none()
    return Person(*row) if row else None


def add(person: Person) -> None:
    """Insert somebody."""
    values = {field: getattr(person, field) for field in _FIELDS}
    execute(insert(PersonRow).values(values))


def rename(person_id: str, first_name: str, last_name: str) -> bool:
    """Give somebody another name; False when there is nobody of that id."""
    return changes_one(
        update(PersonRow)
        .where(PersonRow.id == person_id)
        .values(first_name=first_name, last_name=last_name)
    )


def remove(person_id: str) -> bool:
    """Delete somebody; False when there is nobody of that id."""
    return changes_one(delete(PersonRow).where(PersonRow.id == person_id))
