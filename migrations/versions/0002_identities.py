"""identities."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from webapp.models.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.CHAR(36).with_variant(
    mysql.CHAR(36, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)
DIGEST = sa.CHAR(64).with_variant(
    mysql.CHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)
PROVIDER = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)
SUBJECT = sa.String(255).with_variant(
    mysql.VARCHAR(255, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)
EMAIL = sa.String(254).with_variant(
    mysql.VARCHAR(254, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
)
MOMENT = UtcDateTime()


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "identities",
        sa.Column("provider", PROVIDER, nullable=False),
        sa.Column("subject", SUBJECT, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("email", EMAIL, nullable=True),
        sa.Column("linked_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_identities_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_identities")),
        sa.UniqueConstraint("user_id", "provider", name=op.f("uq_identities_user_id")),
    )
    op.create_table(
        "address_proofs",
        sa.Column("provider", PROVIDER, nullable=False),
        sa.Column("subject", SUBJECT, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("email", EMAIL, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("browser_digest", DIGEST, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_address_proofs")),
        sa.UniqueConstraint("digest", name=op.f("uq_address_proofs_digest")),
    )
    op.create_index(op.f("ix_address_proofs_expires_at"), "address_proofs", ["expires_at"])
    op.create_table(
        "spent_states",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_states")),
    )
    op.create_index(op.f("ix_spent_states_expires_at"), "spent_states", ["expires_at"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("spent_states")
    op.drop_table("address_proofs")
    op.drop_table("identities")
