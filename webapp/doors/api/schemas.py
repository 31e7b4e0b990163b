"""Bodies that more than one room takes or gives; they are the OpenAPI document, too."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from webapp.services.paging import MOST, PAGE
from webapp.services.records import Account


class Body(BaseModel):
    """A body from outside: strict types, and fields that we do not know are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class PageQuery(BaseModel):
    """Which page of a list; a query string holds texts alone, so that its types are not strict."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    cursor: str = Field("", description="`next_cursor` of the page before; none to begin.")
    limit: int = Field(PAGE, ge=1, le=MOST, description="How many at most.")


class SearchQuery(PageQuery):
    """The same for a list that can be searched."""

    q: str = Field("", max_length=254, description="What addresses or names begin with.")


Transport = Literal["cookie", "bearer"]


class UserOut(BaseModel):
    """A person as the person sees themself."""

    id: str
    email: str
    email_verified: bool
    name: str
    roles: list[str]
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        return cls(
            id=account.id,
            email=account.email,
            email_verified=account.email_verified,
            name=account.name,
            roles=list(account.roles),
            created_at=account.created_at,
        )


class TokenReply(BaseModel):
    """What signing in and refreshing answer; by cookie, no token stands in the body."""

    token_type: Literal["cookie", "Bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")
    user: UserOut
    access_token: str | None = Field(None, description="By bearer only.")
    refresh_token: str | None = Field(None, description="By bearer only.")
    refresh_expires_in: int | None = Field(
        None, description="By bearer only: seconds until the refresh token expires."
    )


class StatusReply(BaseModel):
    """A word on what happens next."""

    status: str


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457); `code` is stable, the texts are not."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] | None = None
    request_id: str | None = None
