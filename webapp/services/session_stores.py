"""Where sessions are kept, as the settings say."""

from datetime import timedelta

from config import Settings
from webapp.services.one_time_tokens import LIFETIMES, Purpose
from webapp.stores.redis_sessions import RedisSessions
from webapp.stores.session_moves import RedisSide, Side, SqlSide
from webapp.stores.sessions import SessionStore
from webapp.stores.sql_sessions import SqlSessions


def open_sessions(settings: Settings) -> SessionStore:
    """Return the store that SESSION_STORE names, without connecting to it yet."""
    return open_redis(settings) if settings.session_store == "redis" else SqlSessions()


def open_redis(settings: Settings) -> RedisSessions:
    """Return the store in Redis, whether it is the one in use or the one to move to."""
    # Here, so that a site without Redis does not load its library.
    from webapp.stores.redis_client import RedisServer  # noqa: PLC0415

    # A minute more, for clocks that differ, and twice as long, for a lifetime made shorter.
    told_for = 2 * settings.access_token_expires + timedelta(minutes=1)
    return RedisSessions(RedisServer(settings.redis_url), kept_for(settings), told_for)


def move_sides(settings: Settings, to: str) -> tuple[Side, Side]:
    """Return the store to move sessions from and the one to move them to, `sql` or `redis`."""
    in_sql, in_redis = SqlSide(), RedisSide(open_redis(settings))
    return (in_sql, in_redis) if to == "redis" else (in_redis, in_sql)


def kept_for(settings: Settings) -> timedelta:
    """Return how long a session is kept at least once it has ended.

    Longer than an access token lasts, so that the revocation snapshot misses nothing, and than
    the link "this was not me", whose page tells of the session.
    """
    not_me = LIFETIMES[Purpose.NOT_ME] + timedelta(days=1)
    return max(not_me, 2 * settings.access_token_expires)
