"""A site whose way to its database leads through a proxy that loses what it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager

from apiflask import APIFlask
from sqlalchemy import Connection, create_engine, make_url, select, text, update

from tests.database_kit import before_statements, server_database
from tests.doors_kit import JsonDoor
from tests.processes.kit import new_address
from tests.processes.proxy_kit import Proxy, proxy
from tests.support import close_app, make_settings
from webapp.extensions import db
from webapp.factory import create_app
from webapp.models import UserRow
from webapp.stores.transactions import execute, scalar


class ProxiedSite:
    """An application whose way to its database leads through a proxy, and the short way there."""

    def __init__(self, app: APIFlask, between: Proxy, database_url: str) -> None:
        self.app = app
        self.proxy = between
        self.database_url = database_url

    @contextmanager
    def operator(self) -> Iterator[Connection]:
        """Somebody else's connection, which nothing in between touches."""
        engine = create_engine(self.database_url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def end_my_connection(self) -> None:
        """Have the server end the connection of the work at hand."""
        is_postgresql = db.engine.dialect.name == "postgresql"
        which = "SELECT pg_backend_pid()" if is_postgresql else "SELECT CONNECTION_ID()"
        number = scalar(text(which))
        how = "SELECT pg_terminate_backend(:id)" if is_postgresql else "KILL :id"
        with self.operator() as connection:
            connection.execute(text(how), {"id": number})

    @contextmanager
    def losing_the_reply_to(self, beginning: str) -> Iterator[list[str]]:
        """Lose the reply to the first statement that begins so, which the server itself carries
        out; yields all that are sent and begin so."""
        sent: list[str] = []

        def lose(statement: str) -> None:
            if statement.startswith(beginning):
                sent.append(statement)
                if len(sent) == 1:
                    self.proxy.lose_the_next_reply()

        with before_statements(db.engine, lose):
            yield sent

    def somebody(self) -> str:
        """Make an account that no other test knows; return its address."""
        email = new_address()
        JsonDoor(self.app).make_account(email)
        return email

    def name_of(self, email: str) -> str:
        """Return somebody's name as the server has it."""
        with self.operator() as connection:
            return str(connection.scalar(select(UserRow.name).where(UserRow.email == email)))


def append(email: str, letter: str) -> None:
    """Add a letter to somebody's name: doing it twice shows."""
    row = update(UserRow).where(UserRow.email == email)
    execute(row.values(name=UserRow.name.concat(letter)))


@contextmanager
def proxied_site(kind: str) -> Iterator[ProxiedSite]:
    """Make a site on a kind of server; its tests use addresses of their own."""
    with server_database(kind) as database:
        url = make_url(database.url)
        assert url.port
        with proxy(url.port) as between:
            through = url.set(port=between.port).render_as_string(hide_password=False)
            # The window is short, so that a test of some seconds sees many rotations.
            app = create_app(make_settings(through, refresh_grace="1s"))
            yield ProxiedSite(app, between, database.url)
            close_app(app)
