"""The tables. Importing this package makes all of them known to Alembic."""

from webapp.models.audit import AuditEventRow
from webapp.models.mail import OutboxRow
from webapp.models.sessions import SessionRow
from webapp.models.tokens import OneTimeTokenRow
from webapp.models.users import RoleRow, UserRoleRow, UserRow

__all__ = [
    "AuditEventRow",
    "OneTimeTokenRow",
    "OutboxRow",
    "RoleRow",
    "SessionRow",
    "UserRoleRow",
    "UserRow",
]
