"""Who may see whom: the list of accounts, and one of them."""

from collections.abc import Collection
from dataclasses import dataclass

from webapp.errors import Forbidden, NotFound, NotSignedIn
from webapp.services.accounts import ADMIN
from webapp.services.paging import Page, decode_cursor, page_of
from webapp.services.parts import parts
from webapp.services.tokens import AccessClaims
from webapp.stores import directory, users
from webapp.stores.transactions import read
from webapp.stores.users import Account, search_key

_EMAIL, _NAME = "email", "name"


@dataclass(frozen=True, slots=True)
class Listing:
    """Which part of the list somebody wants; without `search`, all of it, the newest first."""

    search: str = ""
    cursor: str = ""
    limit: int = 50


def is_admin(viewer: AccessClaims | None) -> bool:
    """Whether somebody looks after accounts, and so sees all of them."""
    return viewer is not None and ADMIN in viewer.roles


def list_users(listing: Listing, viewer: AccessClaims | None) -> Page[Account]:
    """Return a page of the accounts that somebody may see.

    Administrators search addresses and names by what they begin with; others search names, or
    they could try addresses out letter by letter, and see open accounts alone.

    :param viewer: who is signed in, if anybody is.
    :raises NotSignedIn: when the directory is not public and nobody is.
    :raises Forbidden: when it is for administrators.
    :raises ValidationFailed: when the cursor is none of this list.
    """
    _check_may_list(viewer)
    prefix = search_key(listing.search.strip()).replace("\0", "")
    if not prefix:
        return read(lambda: _newest(listing, is_admin(viewer)))
    return read(lambda: _search(prefix, listing, is_admin(viewer)))


def get_user(user_id: str, viewer: AccessClaims | None) -> Account:
    """Return one account that somebody may see: their own, or one of the list.

    :raises NotSignedIn: when the directory is not public and nobody is.
    :raises NotFound: when there is none, or none for them to see: not told apart.
    """
    account = read(lambda: users.find(user_id))
    if viewer is not None and viewer.user_id == user_id:
        _check_there(account)
    elif not is_admin(viewer):
        try:
            _check_may_list(viewer)
        except Forbidden:
            raise NotFound from None
        _check_there(account)
    if account is None:
        raise NotFound
    return account


def _check_there(account: Account | None) -> None:
    if account is None or account.is_disabled or account.is_deleted:
        raise NotFound


def check_may_change(user_id: str, viewer: AccessClaims, fields: Collection[str]) -> None:
    """Refuse whoever may not change these fields of an account: others than admins, all but a name.

    :raises NotFound: where they may not even see the account.
    :raises Forbidden: where they may.
    """
    get_user(user_id, viewer)
    is_own_name = user_id == viewer.user_id and not {"roles", "disabled"} & set(fields)
    if not (is_admin(viewer) or is_own_name):
        raise Forbidden


def check_may_manage(user_id: str, viewer: AccessClaims) -> None:
    """Refuse all but administrators.

    :raises NotFound: where they may not even see the account.
    :raises Forbidden: where they may.
    """
    if not is_admin(viewer):
        get_user(user_id, viewer)
        raise Forbidden


def _check_may_list(viewer: AccessClaims | None) -> None:
    kept_to = parts().settings.users_directory
    if kept_to == "public":
        return
    if viewer is None:
        raise NotSignedIn
    if kept_to == "admins" and not is_admin(viewer):
        raise Forbidden


def _newest(listing: Listing, is_full: bool) -> Page[Account]:
    before = decode_cursor(listing.cursor, 1)[0] if listing.cursor else ""
    found = directory.newest(before, listing.limit + 1, is_open_only=not is_full)
    return page_of(found, listing.limit, lambda account: [account.id])


def _search(prefix: str, listing: Listing, is_full: bool) -> Page[Account]:
    """Search addresses first, then names; whoever is found by the address is not found again.

    Names are only asked once the addresses do not fill the page, so that no more rows are passed
    over than have been shown.
    """
    start = (_EMAIL if is_full else _NAME, "", "")
    kind, key, last_id = decode_cursor(listing.cursor, 3) if listing.cursor else start
    most = listing.limit + 1
    by_email: list[Account] = []
    if kind == _EMAIL and is_full:
        by_email = directory.by_email(prefix, key, most)
        if len(by_email) == most:
            return page_of(by_email, listing.limit, _by_email)
        key, last_id = "", ""
    by_name = directory.by_name(
        prefix,
        (key, last_id),
        most - len(by_email),
        is_open_only=not is_full,
        but_by_email=is_full,
    )
    ends_by_email = len(by_email) == listing.limit
    return page_of(by_email + by_name, listing.limit, _by_email if ends_by_email else _by_name)


def _by_email(account: Account) -> tuple[str, str, str]:
    return _EMAIL, account.email, account.id


def _by_name(account: Account) -> tuple[str, str, str]:
    return _NAME, search_key(account.name), account.id
