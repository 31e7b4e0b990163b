"""Roles: which there are, who has them, and who is the last to have one."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from webapp.models import RoleRow, UserRoleRow, UserRow
from webapp.stores.statements import changes_one
from webapp.stores.transactions import LostRace, execute, scalar, scalars
from webapp.stores.users import EVERYBODYS_ROLE


def names() -> list[str]:
    """Return the roles that can be given."""
    return list(scalars(select(RoleRow.name).order_by(RoleRow.name)))


def add(name: str) -> None:
    """Add a role that can be given.

    :raises LostRace: when it has just been added; the transaction runs again and finds it.
    """
    try:
        execute(insert(RoleRow).values(name=name))
    except IntegrityError as error:
        raise LostRace from error


def hold(name: str) -> None:
    """Have everybody else who wants to take this role from somebody wait for this transaction.

    It has to be the transaction's first statement: what is read afterwards is what those who came
    before have left. A `SELECT … FOR UPDATE` would do so on two of the three databases; an update
    that changes nothing holds the row on PostgreSQL and MariaDB, and the file on SQLite.
    """
    execute(update(RoleRow).where(RoleRow.name == name).values(name=name))


def count_open(name: str) -> int:
    """Return how many accounts that are open have a role."""
    return (
        scalar(
            select(func.count())
            .select_from(UserRoleRow)
            .join(UserRow, UserRow.id == UserRoleRow.user_id)
            .where(
                UserRoleRow.role == name,
                UserRow.disabled_at.is_(None),
                UserRow.deleted_at.is_(None),
            )
        )
        or 0
    )


def replace_of(user_id: str, roles: Collection[str], now: datetime) -> bool:
    """Give somebody these roles and no others; False when there is no such account.

    This holds the account's row first, as a sign-in does, which then reads the roles again.

    :raises LostRace: when one of the roles is none any more; the transaction runs again.
    """
    if not changes_one(update(UserRow).where(UserRow.id == user_id).values(roles_changed_at=now)):
        return False
    execute(delete(UserRoleRow).where(UserRoleRow.user_id == user_id))
    given = [{"user_id": user_id, "role": role} for role in roles if role != EVERYBODYS_ROLE]
    if given:
        try:
            execute(insert(UserRoleRow), given)
        except IntegrityError as error:
            raise LostRace from error
    return True
