"""What tokens say, whoever made them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says; `auth_time` in seconds since 1970.

    `facts_of` is the session's last change when the token was issued: the roles are from then.
    """

    user_id: str
    session_id: str
    facts_of: datetime | None
    auth_time: int
    amr: tuple[str, ...]
    roles: tuple[str, ...]
    # None where nobody has proved it.
    email: str | None = None


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says."""

    user_id: str
    session_id: str
    generation: int
