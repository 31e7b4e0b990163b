"""The body of a sign-in."""

from pydantic import Field

from webapp.doors.api.schemas import Body, Transport


class SignInIn(Body):
    """Who signs in, and how the tokens are to come."""

    email: str
    password: str
    transport: Transport = "cookie"
    remember: bool = Field(True, description="False: the cookies end with the browser.")
