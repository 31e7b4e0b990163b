"""What operations answer: the types of the schema, as Python has them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from webapp.errors import EmailNotVerified, EmailTaken, InvalidCredentials, ValidationFailed
from webapp.services.records import Account
from webapp.services.sessions import SignedIn

# The status of every refusal in a MutationResponse.
REFUSED = 401
# What clients of this door look for, and which argument it is about.
_WORDS = {
    InvalidCredentials: ("password", "invalid credentials"),
    EmailNotVerified: ("email", "not confirmed"),
    EmailTaken: ("email", "already taken"),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one argument."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class MutationResponse:
    """What became of a sign-up or a sign-in."""

    status: int
    errors: list[FieldError] = field(default_factory=list)
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person as the person sees themself."""

    id: str
    email: str
    confirmed: bool
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        return cls(
            id=account.id,
            email=account.email,
            confirmed=account.email_verified,
            created_at=_time(account.created_at),
            updated_at=_time(account.updated_at or account.created_at),
        )


def answer(status: int, work: Callable[[], object]) -> MutationResponse:
    """Run a flow and say what became of it; whoever is signed in by it gets both tokens.

    :param status: when it works.
    :raises AuthError: whatever is not about the arguments: a limit, or a store that is down.
    """
    try:
        result = work()
    except ValidationFailed as error:
        return MutationResponse(REFUSED, [FieldError(e.field, e.message) for e in error.errors])
    except tuple(_WORDS) as error:
        return MutationResponse(REFUSED, [FieldError(*_WORDS[type(error)])])
    return MutationResponse(status, payload=_tokens(result))


def _tokens(result: object) -> str | None:
    if not isinstance(result, SignedIn):
        return None
    tokens = {"access_token": result.access_token, "refresh_token": result.refresh_token}
    return json.dumps(tokens)


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
