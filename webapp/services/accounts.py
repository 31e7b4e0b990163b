"""What ends an account's use, be it by its owner or by an administrator; never by the last one.

Whatever takes an administrator away begins with :func:`hold_admins`, as the first statement of its
transaction, and ends with :func:`check_admin_left`. So two who demote each other at the same moment
come one after the other, and the second is refused.
"""

from webapp import clock
from webapp.errors import LastAdmin
from webapp.services import notices, policy, sessions
from webapp.services.client import Client
from webapp.stores import deletions, roles
from webapp.stores.users import Account

ADMIN = "admin"


def hold_admins() -> None:
    """Wait for whoever else is taking an administrator away, then have others wait."""
    roles.hold(ADMIN)


def check_admin_left(before: Account) -> None:
    """Refuse the transaction at hand when it takes the last administrator away.

    :param before: the account as it was before.
    :raises LastAdmin: when it was the last one that was open; what the transaction did is undone.
    """
    was_one = ADMIN in before.roles and not before.is_disabled and not before.is_deleted
    if was_one and not roles.count_open(ADMIN):
        raise LastAdmin


def delete(account: Account, client: Client) -> bool:
    """Have an account erased in 14 days, unless its owner signs in before; ends its sessions.

    Part of a transaction that began with :func:`hold_admins`.

    :returns: False when it waits for that already.
    :raises LastAdmin: when nobody would be left who can look after accounts.
    """
    now = clock.now()
    if not deletions.set_deleted(account.id, now):
        return False
    check_admin_left(account)
    sessions.end_all_of(account.id, "account_deleted")
    notices.account_deleted(account, now + policy.DELETED_KEPT_FOR, client)
    return True
