"""What every application works out anew although it comes out the same: worked out once a process.

Nearly every test makes an application of its own, which nothing else has touched. Half of the
time that this took went into work that depends on the code alone: the functions that build URLs,
the templates' and the statements' compilation, the GraphQL schema. Only such work is remembered,
by all that it depends on; nothing that a test could change is shared.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from jinja2 import Environment
from jinja2.lexer import get_lexer
from pymysql.connections import Connection  # type: ignore[import-untyped]
from sqlalchemy import Engine, event
from werkzeug.routing import Rule

from webapp.doors.gql import schema
from webapp.doors.gql.rooms import GqlRoom


@contextmanager
def remembered() -> Iterator[None]:
    """Have the libraries remember what they compile, for as long as it lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", _remember_builders(Rule._compile_builder))
        patch.setattr(Environment, "compile", _remember_templates(Environment.compile))
        patch.setattr(schema, "make_schema", _remember_schemas(schema.make_schema))
        patch.setattr(Connection, "_create_ssl_ctx", _remember_context(Connection._create_ssl_ctx))
        yield


def _remember_builders(compile_builder: Callable[[Rule, bool], Any]) -> Callable[..., Any]:
    """Build a URL with the same function wherever the rule is the same."""
    made: dict[object, Any] = {}

    def remember(rule: Rule, append_unknown: bool = True) -> Any:
        defaults = tuple((rule.defaults or {}).items())
        key = (rule.rule, tuple(rule._trace), defaults, append_unknown)
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    return remember


def _remember_templates(compile_template: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a template once for all environments that would make the same of it."""
    made: dict[object, Any] = {}

    def remember(
        environment: Environment, source: Any, name: str | None = None, *rest: Any, **kwargs: Any
    ) -> Any:
        escapes = environment.autoescape
        if callable(escapes):
            escapes = escapes(name)
        # A lexer is one and the same for all environments with the same marks and the same trim.
        marks = (get_lexer(environment), escapes, frozenset(environment.extensions))
        key = (*marks, source, name, *rest, *kwargs.items())
        if key not in made:
            made[key] = compile_template(environment, source, name, *rest, **kwargs)
        return made[key]

    return remember


def _remember_schemas(make_schema: Callable[..., Any]) -> Callable[..., Any]:
    """Make the schema once of the same operations, answered by the same functions."""
    made: dict[object, Any] = {}

    def remember(rooms: Iterable[GqlRoom]) -> Any:
        rooms = list(rooms)
        key = tuple((tuple(room.queries), tuple(room.mutations)) for room in rooms)
        if key not in made:
            made[key] = make_schema(rooms)
        return made[key]

    return remember


def _remember_context(create_context: Callable[..., Any]) -> Callable[..., Any]:
    """Read the machine's certificates once for all connections to MariaDB that ask for no other."""
    usual: list[Any] = []

    def remember(connection: Connection, options: Any) -> Any:
        if options:
            return create_context(connection, options)
        if not usual:
            usual.append(create_context(connection, options))
        return usual[0]

    return remember


class Statements(dict[Any, Any]):
    """SQL as it was compiled, for all engines of one dialect; SQLAlchemy's key is the engine's."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._of_all(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self._of_all(key), value)

    @staticmethod
    def _of_all(key: Any) -> Any:
        dialect, *rest = key
        return (type(dialect), dialect.paramstyle, *rest)


_statements = Statements()


def remember_statements(engine: Engine) -> None:
    """Have an engine compile only what no other engine of its kind has compiled."""
    engine.update_execution_options(compiled_cache=_statements)


def trust_the_machine(engine: Engine) -> None:
    """Have SQLite not wait for the disk: no test cuts the power of the machine that it runs on."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def wait_for_nothing(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous = OFF")
