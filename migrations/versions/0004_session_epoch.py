"""Sessions belong to an epoch of their owner, which stores beside the database need."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    for table, name in (("users", "session_epoch"), ("sessions", "epoch")):
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Go back."""
    op.drop_column("sessions", "epoch")
    op.drop_column("users", "session_epoch")
