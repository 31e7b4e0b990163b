"""People in JSON."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from webapp.doors.api.schemas import Body
from webapp.services.records import Person


class PersonIn(Body):
    """What somebody is called."""

    first_name: str = Field(description="1 to 30 characters.")
    last_name: str = Field(description="1 to 30 characters.")


class PersonOut(BaseModel):
    """Somebody in the list."""

    id: str
    first_name: str
    last_name: str
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> Self:
        """Show somebody."""
        return cls(
            id=person.id,
            first_name=person.first_name,
            last_name=person.last_name,
            created_at=person.created_at,
        )


class PersonList(BaseModel):
    """A page of them."""

    data: list[PersonOut]
    next_cursor: str | None = Field(None, description="Of the next page; null after the last.")
