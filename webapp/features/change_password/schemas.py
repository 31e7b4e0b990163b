"""The body of a change of password."""

from pydantic import Field

from webapp.doors.api.schemas import Body


class ChangePasswordIn(Body):
    """The present password and the new one."""

    current_password: str
    new_password: str = Field(description="8 to 1,024 characters, none of the common ones.")
