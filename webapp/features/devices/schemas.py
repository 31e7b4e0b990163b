"""Sessions in JSON."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from webapp.services.client import describe_user_agent
from webapp.services.records import Session


class SessionOut(BaseModel):
    """One sign-in on one device."""

    id: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str
    user_agent: str
    label: str = Field(description="Browser and system in words.")
    current: bool = Field(description="Whether this very request belongs to it.")

    @classmethod
    def of(cls, session: Session, current_id: str) -> Self:
        """Show a session."""
        return cls(
            id=session.id,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            ip=session.ip,
            user_agent=session.user_agent,
            label=describe_user_agent(session.user_agent),
            current=session.id == current_id,
        )


class SessionList(BaseModel):
    """All of them."""

    data: list[SessionOut]
