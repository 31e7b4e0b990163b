"""The store's clock: the one that all nodes share, which the refresh rule goes by."""

from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, type_coerce

from webapp import clock
from webapp.extensions import db
from webapp.models.types import UtcDateTime


def store_now() -> ColumnElement[datetime]:
    """Return an expression for the database's present moment.

    SQLite lives in this process and so does its clock; a server tells its own time.
    """
    name = db.engine.dialect.name
    if name == "sqlite":
        return bindparam(None, callable_=clock.now, type_=UtcDateTime, unique=True)
    if name == "postgresql":
        return type_coerce(func.clock_timestamp(), UtcDateTime)
    return type_coerce(func.utc_timestamp(6), UtcDateTime)
