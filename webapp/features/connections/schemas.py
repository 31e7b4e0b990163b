"""Identities in JSON."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from webapp.services.records import LinkedIdentity


class IdentityOut(BaseModel):
    """One provider that signs in to the account."""

    provider: str
    email: str | None = Field(description="As the provider gave it when it was connected.")
    linked_at: datetime

    @classmethod
    def of(cls, identity: LinkedIdentity) -> Self:
        """Show an identity."""
        return cls(provider=identity.provider, email=identity.email, linked_at=identity.linked_at)


class IdentityList(BaseModel):
    """All of them."""

    data: list[IdentityOut]
