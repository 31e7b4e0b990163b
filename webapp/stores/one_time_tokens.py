"""One-time tokens, known by their digests."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from webapp.models import OneTimeTokenRow
from webapp.stores.statements import changes_one, count_changed
from webapp.stores.transactions import LostRace, execute


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A token as it is kept."""

    digest: str
    user_id: str
    purpose: str
    created_at: datetime
    expires_at: datetime
    subject: str = ""
    email: str | None = None
    browser_digest: str | None = None


_FIELDS = tuple(OneTimeToken.__dataclass_fields__)


def replace(token: OneTimeToken) -> None:
    """Keep a token in place of its owner's earlier one of the same purpose and subject.

    :raises LostRace: when another one came first; the transaction runs again.
    """
    is_replaced = count_changed(
        update(OneTimeTokenRow)
        .where(
            OneTimeTokenRow.user_id == token.user_id,
            OneTimeTokenRow.purpose == token.purpose,
            OneTimeTokenRow.subject == token.subject,
        )
        .values(_values(token) | {"used_at": None})
    )
    if not is_replaced:
        add(token)


def add(token: OneTimeToken) -> None:
    """Keep a token that stands in no other's place.

    :raises LostRace: when there is one of the same purpose and subject after all.
    """
    try:
        execute(insert(OneTimeTokenRow).values(_values(token)))
    except IntegrityError as error:
        raise LostRace from error


def _values(token: OneTimeToken) -> dict[str, Any]:
    return {field: getattr(token, field) for field in _FIELDS}


def find(digest: str, purposes: Collection[str], now: datetime) -> OneTimeToken | None:
    """Return a token that could be used now, or None; uses nothing up."""
    row = execute(
        select(*(getattr(OneTimeTokenRow, field) for field in _FIELDS)).where(
            OneTimeTokenRow.digest == digest,
            OneTimeTokenRow.purpose.in_(purposes),
            OneTimeTokenRow.used_at.is_(None),
            OneTimeTokenRow.expires_at > now,
        )
    ).one_or_none()
    return OneTimeToken(*row) if row else None


def use(digest: str, purpose: str, now: datetime) -> bool:
    """Use a token up; True for exactly one of all who try."""
    return changes_one(
        update(OneTimeTokenRow)
        .where(
            OneTimeTokenRow.digest == digest,
            OneTimeTokenRow.purpose == purpose,
            OneTimeTokenRow.used_at.is_(None),
            OneTimeTokenRow.expires_at > now,
        )
        .values(used_at=now)
    )


def void(user_id: str, purposes: Collection[str], since: datetime | None = None) -> None:
    """Drop a person's tokens of some purposes, or only those made after a moment."""
    statement = delete(OneTimeTokenRow).where(
        OneTimeTokenRow.user_id == user_id, OneTimeTokenRow.purpose.in_(purposes)
    )
    if since is not None:
        statement = statement.where(OneTimeTokenRow.created_at > since)
    execute(statement)


def waiting_of(user_id: str, now: datetime) -> list[OneTimeToken]:
    """Return a person's tokens that could still be used."""
    rows = execute(
        select(*(getattr(OneTimeTokenRow, field) for field in _FIELDS)).where(
            OneTimeTokenRow.user_id == user_id,
            OneTimeTokenRow.used_at.is_(None),
            OneTimeTokenRow.expires_at > now,
        )
    )
    return [OneTimeToken(*row) for row in rows]


def all_of(user_id: str) -> list[OneTimeToken]:
    """Return every token that is kept of a person, be it used or expired."""
    rows = execute(
        select(*(getattr(OneTimeTokenRow, field) for field in _FIELDS))
        .where(OneTimeTokenRow.user_id == user_id)
        .order_by(OneTimeTokenRow.created_at)
    )
    return [OneTimeToken(*row) for row in rows]


def prune(before: datetime) -> None:
    """Delete the tokens that expired before this moment."""
    execute(delete(OneTimeTokenRow).where(OneTimeTokenRow.expires_at < before))
