"""The body of a reauthentication."""

from webapp.doors.api.schemas import Body


class ReauthenticateIn(Body):
    """The present password."""

    password: str
