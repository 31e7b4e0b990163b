"""The body of a sign-up."""

from pydantic import Field

from webapp.doors.api.schemas import Body, Transport


class SignUpIn(Body):
    """Who signs up."""

    email: str = Field(description="At most 254 characters.")
    password: str = Field(description="8 to 1,024 characters, none of the common ones.")
    name: str | None = Field(None, description="At most 100 characters.")
    transport: Transport = "cookie"
