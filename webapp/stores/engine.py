"""How the databases are connected to: each with bounds, so that a hung one is a 503 in time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event

if TYPE_CHECKING:
    from sqlite3 import Connection

# Seconds. A request that waits for longer is worth less than one that is told to come back.
_CONNECT, STATEMENT, _POOL = 5, 10, 5


def engine_options(url: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for a database address with its driver named."""
    options: dict[str, Any] = {
        # Transactions say BEGIN and COMMIT themselves; all else needs neither.
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
        "pool_timeout": _POOL,
        "pool_size": 10,
        "pool_use_lifo": True,
        "max_overflow": 10,
        # An error would else carry them into the log: addresses, hashes, mail with its link.
        "hide_parameters": True,
    }
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": _CONNECT, "check_same_thread": False}
    elif url.startswith("postgresql"):
        options["connect_args"] = {
            "connect_timeout": _CONNECT,
            "tcp_user_timeout": STATEMENT * 1000,
            "options": f"-c statement_timeout={STATEMENT}s -c lock_timeout=5s -c timezone=UTC",
        }
    else:
        options["connect_args"] = {
            "connect_timeout": _CONNECT,
            "read_timeout": STATEMENT,
            "write_timeout": STATEMENT,
            "charset": "utf8mb4",
            "init_command": "SET time_zone = '+00:00', innodb_lock_wait_timeout = 5",
        }
        # MariaDB closes connections that have been idle for eight hours.
        options["pool_recycle"] = 3600
    return options


def prepare_engine(db: SQLAlchemy) -> None:
    """Have each connection made as we need it; needs the application's context."""
    if db.engine.dialect.name == "sqlite":
        _prepare_sqlite(db.engine)
    elif db.engine.dialect.name == "postgresql":
        # Here, as the other databases need not load its driver.
        from webapp.stores.postgresql import BoundedConnection, LeanCursor  # noqa: PLC0415

        @event.listens_for(db.engine, "do_connect")
        def connect(_dialect: object, _record: object, args: Any, kwargs: Any) -> object:
            return BoundedConnection.connect(*args, cursor_factory=LeanCursor, **kwargs)


def _prepare_sqlite(engine: Engine) -> None:
    """Have SQLite write ahead and hold foreign keys."""
    if engine.url.database and engine.url.database != ":memory:":
        Path(engine.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: "Connection", _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # Every commit reaches the disk: a sign-out must survive a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()
