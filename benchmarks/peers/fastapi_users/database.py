"""The tables and their sessions, as "Databases: SQLAlchemy" of FastAPI Users has them."""

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from sqlalchemy import Index, func, make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

url = make_url(os.environ["DATABASE_URL"])
options = {"ssl": url.query["sslmode"]} if "sslmode" in url.query else {}  # asyncpg's name for it
engine = create_async_engine(url.set(drivername="postgresql+asyncpg", query=options))
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """What the tables have in common."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A person."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """One sign-in: the refresh token that is good for it now."""


Index("ix_user_lower_email", func.lower(User.email), unique=True)


async def get_session() -> AsyncIterator[AsyncSession]:
    """Hand a request its session."""
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_user_database(session: Session) -> AsyncIterator[SQLAlchemyUserDatabase]:
    """Hand a request its adapter to the people."""
    yield SQLAlchemyUserDatabase(session, User)


async def get_token_database(session: Session) -> AsyncIterator[SQLAlchemyAccessTokenDatabase]:
    """Hand a request its adapter to the refresh tokens."""
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)
