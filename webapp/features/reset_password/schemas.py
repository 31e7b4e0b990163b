"""Bodies about getting back in."""

from pydantic import Field

from webapp.doors.api.schemas import Body


class ForgotIn(Body):
    """Who wants a link."""

    email: str


class ResetIn(Body):
    """A link's token, and the new password."""

    token: str = Field(description="What follows `?token=` in the link.")
    password: str = Field(description="8 to 1,024 characters, none of the common ones.")
