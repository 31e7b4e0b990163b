"""when an account last changed."""

import sqlalchemy as sa
from alembic import op

from webapp.models.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("users", sa.Column("updated_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Go back."""
    op.drop_column("users", "updated_at")
