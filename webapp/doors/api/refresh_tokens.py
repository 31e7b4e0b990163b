"""The refresh token in a body, which is optional where it may come in two other ways."""

from flask import request
from pydantic import ValidationError

from webapp.doors.api.problems import field_errors
from webapp.doors.api.schemas import Body
from webapp.errors import ValidationFailed


class RefreshTokenIn(Body):
    """A refresh token, by those who keep it themselves."""

    refresh_token: str | None = None


def refresh_token_in_body() -> str | None:
    """Return the refresh token of a JSON body; None without a body or without one in it.

    :raises ValidationFailed: when it is there but is no string.
    """
    if not request.get_data(cache=True):
        return None
    data = request.get_json(force=True)
    try:
        return RefreshTokenIn.model_validate(data).refresh_token
    except ValidationError as error:
        raise ValidationFailed(*field_errors(error)) from None
