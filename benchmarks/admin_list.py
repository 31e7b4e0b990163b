"""The list of accounts at 1,000 and at 100,000: SQL statements, and time a request.

    python benchmarks/admin_list.py [--plans] [sqlite] [postgresql] [mariadb]

Each database is made for this, filled, measured through the JSON door and the admin page, and
thrown away. PostgreSQL and MariaDB are looked for on this machine, as the tests do. With --plans it
shows how the database goes about each statement at 100,000.
"""

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, select, text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.admin_kit import ADMIN, make
from tests.doors.probes import bearer, sign_in_by_bearer
from tests.support import database_on, make_settings, migrate
from webapp import clock
from webapp.extensions import db
from webapp.factory import create_app
from webapp.models import UserRow
from webapp.services.ids import new_id
from webapp.services.paging import encode_cursor
from webapp.stores.users import search_key

SIZES = (1_000, 100_000)
ROUNDS = 60
BATCH = 5_000

FIRST = ("Ada", "Béla", "Chen", "Dora", "Emil", "Fatma", "Gia", "Hugo", "Ines", "Jan")
LAST = ("Adler", "Brandt", "Costa", "Duarte", "Eriksen", "Fischer", "Greco", "Horvat")


def fill(app: APIFlask, size: int) -> None:
    """Put accounts in, beside the administrator; a twentieth of them disabled."""
    now = clock.now()
    with app.app_context():
        for start in range(0, size, BATCH):
            rows = []
            for number in range(start, min(start + BATCH, size)):
                first, last = FIRST[number % 10], LAST[number // 10 % 8]
                name = f"{first} {last} {number}"
                rows.append(
                    {
                        "id": new_id(),
                        "email": f"{search_key(last)}.{number}@example.com",
                        "name": name,
                        "name_key": search_key(name),
                        "created_at": now,
                        "devices_since": now,
                        "disabled_at": now if number % 20 == 0 else None,
                    }
                )
            db.session.execute(insert(UserRow), rows)
            db.session.commit()
        if db.engine.dialect.name != "sqlite":
            db.session.execute(text("ANALYZE users" if is_postgres() else "ANALYZE TABLE users"))
            db.session.commit()


def is_postgres() -> bool:
    """Whether the application at hand keeps its data in PostgreSQL."""
    return db.engine.dialect.name == "postgresql"


def questions(app: APIFlask) -> dict[str, str]:
    """Return what is asked: the same at every size, from the first page to one in the middle."""
    with app.app_context():
        size = db.session.scalar(text("SELECT count(*) FROM users")) or 0
        middle = db.session.scalars(
            select(UserRow.id).order_by(UserRow.id).offset(size // 2).limit(1)
        ).one()
        far = db.session.execute(
            select(UserRow.email, UserRow.id)
            .where(UserRow.email.startswith("fisch"))
            .order_by(UserRow.email)
            .offset(size // 16)
            .limit(1)
        ).one()
    return {
        "first page": "/api/v1/users?limit=50",
        "page in the middle": f"/api/v1/users?limit=50&cursor={encode_cursor(middle)}",
        "search, one found": "/api/v1/users?q=adler.80@",
        "search, many by address": "/api/v1/users?q=fisch",
        "search, far on": f"/api/v1/users?q=fisch&cursor={encode_cursor('email', *far)}",
        "search, many by name": "/api/v1/users?q=in",
        "search, none found": "/api/v1/users?q=nobody",
        "admin page": "/admin",
        "admin page, search": "/admin?q=b%C3%A9la%20b",
    }


Statement = tuple[str, Any]


@contextmanager
def collected(app: APIFlask) -> Iterator[list[Statement]]:
    """Collect the statements that reach the database, with what they are given."""
    found: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if "sessions.changed_at >=" not in statement:  # the snapshot, once a second
            found.append((statement, values))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


@dataclass
class Site:
    """An application with so many accounts, and an administrator who asks it."""

    app: APIFlask
    client: FlaskClient
    headers: dict[str, str]

    @classmethod
    def of(cls, url: str, size: int) -> "Site":
        """Make one."""
        migrate(url)
        app = create_app(make_settings(url))
        make(app, ADMIN, "admin")
        fill(app, size)
        client = app.test_client(use_cookies=False)
        return cls(app, client, bearer(sign_in_by_bearer(client, ADMIN)["access_token"]))

    def ask(self, path: str) -> float:
        """Send one request and return how long it took, in milliseconds."""
        start = time.perf_counter()
        response = self.client.get(path, headers=self.headers)
        took = (time.perf_counter() - start) * 1000
        if response.status_code != 200:
            raise RuntimeError(response.text)
        return took

    def statements(self, path: str) -> list[Statement]:
        """Return the statements of one request."""
        self.ask(path)
        with collected(self.app) as found:
            self.ask(path)
        return found

    def plan(self, statement: Statement) -> str:
        """Return how the database goes about a statement, in its own words."""
        with self.app.app_context(), db.engine.connect() as connection:
            is_file = db.engine.dialect.name == "sqlite"
            how = "EXPLAIN QUERY PLAN " if is_file else "EXPLAIN "
            rows = connection.exec_driver_sql(how + statement[0], statement[1]).all()
            return "\n".join("    " + "  ".join(map(str, row)) for row in rows)


def compare(kind: str, few: Site, many: Site, has_plans: bool) -> None:
    """Measure both in turns, so that whatever else the machine does weighs on both."""
    for name, path in questions(few.app).items():
        far = questions(many.app)[name]
        counts = [len(few.statements(path)), len(many.statements(far))]
        pairs = [(few.ask(path), many.ask(far)) for _ in range(ROUNDS)]
        t1, t2 = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"| {kind} | {name} | {counts[0]} | {counts[1]} | {t1:.1f} | {t2:.1f} |")
        if has_plans:
            for statement in many.statements(far):
                print(f"{statement[0]}\n{many.plan(statement)}\n")


def main() -> None:
    """Measure and print a table in Markdown."""
    arguments = sys.argv[1:]
    has_plans = "--plans" in arguments
    kinds = [each for each in arguments if not each.startswith("-")] or ["sqlite", "postgresql"]
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}\n")
    print("| database | request | statements, 1,000 | 100,000 | ms, 1,000 | 100,000 |")
    print("|---|---|---|---|---|---|")
    for kind in kinds:
        with ExitStack() as stack:
            sites = []
            for size in SIZES:
                if kind == "sqlite":
                    url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/l.db"
                else:
                    url = stack.enter_context(database_on(kind))
                sites.append(Site.of(url, size))
            compare(kind, sites[0], sites[1], has_plans)
            for site in sites:
                with site.app.app_context():
                    db.engine.dispose()


if __name__ == "__main__":
    main()
