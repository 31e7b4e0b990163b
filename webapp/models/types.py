"""Column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from datetime import UTC, datetime

from sqlalchemy import CHAR, DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine

# Ids and digests are ASCII; MariaDB would otherwise keep and compare four bytes a character. There,
# a collation names its character set, too.
Id = CHAR(36).with_variant(CHAR(36, collation="ascii_bin"), "mysql", "mariadb")
Digest = CHAR(64).with_variant(CHAR(64, collation="ascii_bin"), "mysql", "mariadb")
Subject = String(64).with_variant(String(64, collation="ascii_bin"), "mysql", "mariadb")
# At most 255 ASCII characters, upper and lower case told apart (OpenID Connect Core 1.0, 2).
ProviderSubject = String(255).with_variant(String(255, collation="ascii_bin"), "mysql", "mariadb")
# MariaDB's default collation takes é for e: two people would share one address. Of a language's
# collation in PostgreSQL, an index could not tell what begins with some letters.
Email = (
    String(254)
    .with_variant(String(254, collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(String(254, collation="C"), "postgresql")
)
SearchKey = (
    String(100)
    .with_variant(String(100, collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(String(100, collation="C"), "postgresql")
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment to the microsecond, kept and returned in UTC."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        """Give each database the type that keeps microseconds."""
        if dialect.name in ("mysql", "mariadb"):
            # Here, as the other databases need not load it.
            from sqlalchemy.dialects.mysql import DATETIME  # noqa: PLC0415

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; hand databases without zones a naive one in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
