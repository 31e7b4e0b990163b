"""Accounts that wait to be erased, as their owners asked for."""

from datetime import datetime

from sqlalchemy import delete, select, update

from webapp.models import UserRow
from webapp.stores.statements import changes_one
from webapp.stores.transactions import scalars


def set_deleted(user_id: str, deleted_at: datetime) -> bool:
    """Have an account wait to be erased; False when it does already."""
    return changes_one(
        update(UserRow)
        .where(UserRow.id == user_id, UserRow.deleted_at.is_(None))
        .values(deleted_at=deleted_at)
    )


def waiting_to_be_erased(before: datetime, limit: int) -> list[str]:
    """Return the ids of accounts deleted before this moment."""
    return list(scalars(select(UserRow.id).where(UserRow.deleted_at < before).limit(limit)))


def erase(user_id: str, before: datetime) -> bool:
    """Erase an account that still waits for it; False when its owner has come back."""
    return changes_one(delete(UserRow).where(UserRow.id == user_id, UserRow.deleted_at < before))
