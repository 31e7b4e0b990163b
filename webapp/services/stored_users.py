"""Where accounts are looked up unless a host has its own way: in their table."""

from webapp.stores import users
from webapp.stores.transactions import read
from webapp.stores.users import Account


class StoredUsers:
    """Accounts as their table has them."""

    def by_subject(self, user_id: str, stored: Account | None = None) -> Account | None:
        """Return the account with this id; one that was read already is not read again."""
        return stored or read(lambda: users.find(user_id))

    def by_address(self, email: str) -> Account | None:
        """Return the account with this normalized address, or None."""
        return read(lambda: users.find_by_email(email))
