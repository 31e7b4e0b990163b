"""The body of a change of address."""

from webapp.doors.api.schemas import Body


class ChangeEmailIn(Body):
    """The new address and the present password."""

    email: str
    password: str
