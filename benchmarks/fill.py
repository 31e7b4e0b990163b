"""Put people into an empty database of Latchkey, with sessions if wanted.

Reads DATABASE_URL and the other settings, PEOPLE, PASSWORD, SESSIONS (of each person, 0 if left
out) and TOKENS (for how many sessions to print tokens, as JSON, 0 if left out).
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flask_migrate import upgrade
from sqlalchemy import Table, insert, text

from config import Settings
from webapp import clock
from webapp.extensions import db
from webapp.factory import create_app
from webapp.models import SessionRow, UserRow
from webapp.services import tokens
from webapp.services.passwords import Passwords
from webapp.stores.sessions import Session
from webapp.stores.users import Account

BATCH = 20_000


def person_id(number: int) -> str:
    """Return the id of a person, spread as ids that are made over time are not."""
    return f"00000000-0000-7000-8000-{number * 2654435761 % 2**48:012x}"


def session_id(number: int) -> str:
    """Return the id of a session."""
    return f"00000000-0000-7000-9000-{number * 2654435761 % 2**48:012x}"


def people(count: int, password_hash: str) -> Iterator[dict[str, Any]]:
    """Yield rows of people."""
    now = clock.now()
    for number in range(count):
        name = f"Person {number}"
        yield {
            "id": person_id(number),
            "email": f"person-{number}@example.com",
            "email_verified_at": now,
            "name": name,
            "name_key": name.casefold(),
            "password_hash": password_hash,
            "created_at": now,
            "devices_since": now,
            "session_epoch": 0,
        }


def session(number: int, each: int) -> Session:
    """Return a session that began an hour ago."""
    began = clock.now() - timedelta(hours=1)
    return Session(
        id=session_id(number),
        user_id=person_id(number // each),
        created_at=began,
        last_used_at=began,
        authenticated_at=began,
        amr="pwd",
        expires_at=began + timedelta(days=30),
        is_persistent=True,
        ip="192.0.2.1",
        user_agent="benchmark",
    )


def put(table: Table, rows: Iterator[dict[str, Any]]) -> None:
    """Insert many rows, in the quickest way that the database has."""
    first = next(rows, None)
    if first is None:
        return
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            raw: Any = connection.connection.dbapi_connection
            columns = ", ".join(first)
            # A request may not take so long, but a million people do.
            connection.exec_driver_sql("SET statement_timeout = 0")
            with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as out:
                out.write_row(list(first.values()))
                for row in rows:
                    out.write_row(list(row.values()))
            return
        connection.execute(text("BEGIN"))
        batch = [first]
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                connection.execute(insert(table), batch)
                batch = []
        if batch:
            connection.execute(insert(table), batch)
        connection.execute(text("COMMIT"))


def pairs(count: int, of: int, each: int) -> Iterator[dict[str, str]]:
    """Yield tokens of sessions that are spread over all of them."""
    for turn in range(count):
        chosen = session(turn * (of // count), each)
        number = turn * (of // count) // each
        row = next(people(1, "")) | {
            "id": chosen.user_id,
            "email": f"person-{number}@example.com",
        }
        row.pop("name_key")
        access, _ = tokens.issue_access(Account(**row), chosen, clock.now())
        yield {"access": access, "refresh": tokens.issue_refresh(chosen, clock.now())}


def main() -> None:
    """Do what the module says."""
    settings = Settings.from_env()
    app = create_app(settings)
    count, each = int(os.environ["PEOPLE"]), int(os.environ.get("SESSIONS", "0"))
    with app.app_context():
        upgrade()
        hashed = Passwords(settings.bcrypt_cost).hash(os.environ["PASSWORD"])
        put(UserRow.__table__, people(count, hashed))  # type: ignore[arg-type]
        rows = (asdict(session(number, each)) for number in range(count * each))
        put(SessionRow.__table__, rows)  # type: ignore[arg-type]
        wanted = int(os.environ.get("TOKENS", "0"))
        print(json.dumps(list(pairs(wanted, count * each, each))))
        db.engine.dispose()


if __name__ == "__main__":
    main()
