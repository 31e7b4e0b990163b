"""The list of accounts, page by page: each statement walks an index from where the last ended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, select, tuple_

from webapp.models import UserRoleRow, UserRow
from webapp.stores.transactions import execute
from webapp.stores.users import ACCOUNT_COLUMNS, Account, account_of

# Sorts after whatever begins with the text before it.
_LAST = "\U0010ffff"

Condition = ColumnElement[bool]


def newest(before_id: str, limit: int, is_open_only: bool) -> list[Account]:
    """Return accounts made before one, the newest first; from the newest without an id."""
    where = _open(is_open_only)
    if before_id:
        where.append(UserRow.id < before_id)
    return _read(where, ["id"], limit, is_descending=True)


def by_email(prefix: str, after: str, limit: int) -> list[Account]:
    """Return accounts whose address begins with something, after an address, by the address."""
    where = [_begins(UserRow.email, prefix)]
    if after > prefix:
        # In place of the other bound: SQLite would begin at the lower one, and pass over the rest.
        where = [UserRow.email > after, UserRow.email < prefix + _LAST]
    return _read(where, ["email"], limit)


def by_name(
    prefix: str, after: tuple[str, str], limit: int, *, is_open_only: bool, but_by_email: bool
) -> list[Account]:
    """Return accounts whose name begins with something, after a name and id, by both.

    :param prefix: as :func:`webapp.stores.users.search_key` returns it.
    :param but_by_email: leave those out whose address begins with it, too.
    """
    name, user_id = max(after, (prefix, ""))
    where = [UserRow.name_key >= name, UserRow.name_key < prefix + _LAST, *_open(is_open_only)]
    if user_id:
        where.append(tuple_(UserRow.name_key, UserRow.id) > (name, user_id))
    if but_by_email:
        where.append(not_(_begins(UserRow.email, prefix)))
    return _read(where, ["name_key", "id"], limit)


def _begins(column: Any, prefix: str) -> Condition:
    """Compare as an index is sorted: LIKE would need another kind of index on each database."""
    return and_(column >= prefix, column < prefix + _LAST)


def _open(is_open_only: bool) -> list[Condition]:
    return [UserRow.disabled_at.is_(None), UserRow.deleted_at.is_(None)] if is_open_only else []


def _read(
    where: Sequence[Condition], order: Sequence[str], limit: int, is_descending: bool = False
) -> list[Account]:
    """Read some accounts with their roles, in one statement."""
    columns: list[Any] = [getattr(UserRow, name) for name in order]
    if is_descending:
        columns = [column.desc() for column in columns]
    some = (
        select(*ACCOUNT_COLUMNS, UserRow.name_key)
        .where(*where)
        .order_by(*columns)
        .limit(limit)
        .subquery("some")
    )
    again: list[Any] = [some.c[name] for name in order]
    if is_descending:
        again = [column.desc() for column in again]
    rows = execute(
        select(*(some.c[column.key] for column in ACCOUNT_COLUMNS), UserRoleRow.role)
        .outerjoin(UserRoleRow, UserRoleRow.user_id == some.c.id)
        .order_by(*again)
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return [account for rows in found.values() if (account := account_of(rows))]
