"""Other people's accounts in JSON."""

from typing import Self

from pydantic import BaseModel, Field

from webapp.doors.api.schemas import Body, UserOut
from webapp.services.records import Account


class NewUserIn(Body):
    """Whom to make an account for; the person chooses the password, by a mailed link."""

    email: str
    name: str = ""
    roles: list[str] = Field([], description="Beside `user`, which everybody has.")


class ChangeIn(Body):
    """What is to be another way; what is left out stays."""

    name: str | None = Field(None, description="At most 100 characters.")
    roles: list[str] | None = Field(None, description="All of them; `user` may be left out.")
    disabled: bool | None = None


class AccountOut(UserOut):
    """A person as administrators see them."""

    disabled: bool
    deleted: bool = Field(description="Waits to be erased, unless its owner signs in before.")

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        shown = UserOut.of(account).model_dump()
        return cls(**shown, disabled=account.is_disabled, deleted=account.is_deleted)


class BriefOut(BaseModel):
    """A person as others see them."""

    id: str
    name: str

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        return cls(id=account.id, name=account.name)


class UserList(BaseModel):
    """A page of the directory."""

    data: list[AccountOut | BriefOut]
    next_cursor: str | None = Field(None, description="Of the next page; null after the last.")
