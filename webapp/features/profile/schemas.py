"""The body of a change to one's own account."""

from pydantic import Field

from webapp.doors.api.schemas import Body


class DeleteIn(Body):
    """The present password."""

    password: str


class ProfileIn(Body):
    """What one may change about oneself here."""

    name: str | None = Field(None, description="At most 100 characters.")
