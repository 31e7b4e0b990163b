"""people, and what the list of accounts and the audit log are searched by."""

import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from webapp.models.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.CHAR(36).with_variant(
    mysql.CHAR(36, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)
KEY = (
    sa.String(100)
    .with_variant(
        mysql.VARCHAR(100, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )
    .with_variant(sa.String(100, collation="C"), "postgresql")
)
MOMENT = UtcDateTime()
BATCH = 1000

USERS = sa.table("users", sa.column("id"), sa.column("name"), sa.column("name_key"))


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "people",
        sa.Column("id", ID, nullable=False),
        sa.Column("first_name", sa.String(length=30), nullable=False),
        sa.Column("last_name", sa.String(length=30), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.add_column("users", sa.Column("name_key", KEY, nullable=False, server_default=""))
    op.add_column("users", sa.Column("roles_changed_at", MOMENT, nullable=True))
    _fill_name_keys()
    op.create_index(op.f("ix_users_name_key"), "users", ["name_key", "id"])
    _collate_email("C")

    op.add_column("audit_events", sa.Column("actor_id", ID, nullable=True))
    op.drop_index(op.f("ix_audit_events_user_id"), "audit_events")
    op.create_index("ix_audit_events_user_id_at", "audit_events", ["user_id", "at", "id"])
    op.create_index("ix_audit_events_actor_id_at", "audit_events", ["actor_id", "at", "id"])
    op.create_index("ix_audit_events_event_at", "audit_events", ["event", "at", "id"])
    op.create_index(op.f("ix_outbox_delivered_at"), "outbox", ["delivered_at", "id"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_outbox_delivered_at"), "outbox")
    op.drop_index("ix_audit_events_event_at", "audit_events")
    op.drop_index("ix_audit_events_actor_id_at", "audit_events")
    op.drop_index("ix_audit_events_user_id_at", "audit_events")
    op.create_index(op.f("ix_audit_events_user_id"), "audit_events", ["user_id"])
    op.drop_column("audit_events", "actor_id")
    _collate_email("default")
    op.drop_index(op.f("ix_users_name_key"), "users")
    op.drop_column("users", "roles_changed_at")
    op.drop_column("users", "name_key")
    op.drop_table("people")


def _collate_email(collation: str) -> None:
    """Have PostgreSQL sort addresses by their letters' numbers, as the two others do already."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE users ALTER COLUMN email TYPE VARCHAR(254) COLLATE "{collation}"')


def _fill_name_keys() -> None:
    connection, after = op.get_bind(), ""
    while True:
        rows = connection.execute(
            sa.select(USERS.c.id, USERS.c.name)
            .where(USERS.c.id > after)
            .order_by(USERS.c.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        for user_id, name in rows:
            key = unicodedata.normalize("NFKC", name).casefold()[:100]
            if key:
                connection.execute(
                    sa.update(USERS).where(USERS.c.id == user_id).values(name_key=key)
                )
        after = rows[-1][0]
