"""The tables. Importing this package makes all of them known to Alembic."""

from webapp.models.audit import AuditEventRow
from webapp.models.identities import AddressProofRow, IdentityRow, SpentStateRow
from webapp.models.mail import OutboxRow
from webapp.models.people import PersonRow
from webapp.models.sessions import SessionRow
from webapp.models.tokens import OneTimeTokenRow
from webapp.models.users import RoleRow, UserRoleRow, UserRow

__all__ = [
    "AddressProofRow",
    "AuditEventRow",
    "IdentityRow",
    "OneTimeTokenRow",
    "OutboxRow",
    "PersonRow",
    "RoleRow",
    "SessionRow",
    "SpentStateRow",
    "UserRoleRow",
    "UserRow",
]
