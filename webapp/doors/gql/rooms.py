"""What every GraphQL door of a room begins with."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from webapp.doors.client import client_of_request
from webapp.services.client import Client

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for: a field of the schema, and what answers it."""

    # In the schema language, such as `login(email: String!, password: String!): String!`.
    signature: str
    resolve: Callable[..., object]

    @property
    def name(self) -> str:
        """The field's name."""
        return self.signature.partition(":")[0].partition("(")[0]

    @property
    def description(self) -> str:
        """What the schema says about it: the first line of the docstring."""
        return (self.resolve.__doc__ or "").partition("\n")[0]


@dataclass(frozen=True, slots=True)
class GqlRoom:
    """The operations of a room; each is declared above the function that answers it."""

    queries: list[Operation] = field(default_factory=list)
    mutations: list[Operation] = field(default_factory=list)

    def query(self, signature: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Declare what changes nothing; its type has to end in `!`."""
        return _declare(self.queries, signature)

    def mutation(self, signature: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Declare what changes something; its type has to end in `!`."""
        return _declare(self.mutations, signature)


def client_without_cookies() -> Client:
    """Return where the request comes from; this door reads no cookies, not even a device's."""
    return replace(client_of_request(), devices=())


def _declare(
    operations: list[Operation], signature: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def declare(resolve: Callable[P, R]) -> Callable[P, R]:
        operations.append(Operation(signature, resolve))
        return resolve

    return declare
