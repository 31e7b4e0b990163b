"""Bodies about ended sessions."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from webapp.features.relying_parties.flow import Feed


class Since(BaseModel):
    """Where to go on reading."""

    since: str = Field("", description="`next` of the reply before; leave it out at first.")


class RevocationOut(BaseModel):
    """Access tokens of this session that were issued before this moment are good no more."""

    sid: str
    not_before: datetime


class FeedReply(BaseModel):
    """Sessions that ended or changed, the oldest first, and where to go on."""

    data: list[RevocationOut]
    next: str

    @classmethod
    def of(cls, feed: Feed) -> Self:
        """Show what was read."""
        data = [RevocationOut(sid=sid, not_before=moment) for sid, moment in feed.not_before]
        return cls(data=data, next=feed.cursor)
