"""Bodies about proving an address."""

from pydantic import Field

from webapp.doors.api.schemas import Body


class VerifyIn(Body):
    """The token of a mailed link."""

    token: str = Field(description="What follows `?token=` in the link.")


class ResendIn(Body):
    """Who wants a new link."""

    email: str
