"""FastAPI Users: its SQLAlchemy adapter on asyncpg, under uvicorn with uvloop and httptools.

Put together as the "Full example" of FastAPI Users with PostgreSQL for its database. Access tokens
are of its JWT strategy (HS256, its default), which reads the person from the database at every
request. /users/me and signing up are its own routers.

FastAPI Users has no refresh tokens. They are built here from its database strategy: the table that
its documentation calls AccessToken holds refresh tokens, one row a sign-in, and refreshing swaps
the token of the row through the library's own adapter. The swap is one UPDATE by the old token, so
of two that present the same token one alone gets a new one. Signing in is the library's login route
written out, to hand out both tokens.

bcrypt is that of pwdlib, which the library hashes with: a PasswordHelper whose only hasher is its
BcryptHasher at the cost of the benchmark (the library's default is Argon2). There is no
pre-hash, so a password has at most 72 bytes. The library hashes in the event loop.

The library looks people up by lower(email), for which its table has no index (issue 4 of
fastapi-users-db-sqlalchemy); with 100,000 people every sign-in would read all of the table. So the
table here has that index.
"""

import os
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from database import AccessToken, User, get_token_database, get_user_database
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.authentication.strategy import DatabaseStrategy
from fastapi_users.db import SQLAlchemyUserDatabase
from fastapi_users.password import PasswordHelper
from fastapi_users.router.common import ErrorCode
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase
from pwdlib import PasswordHash
from pwdlib.hashers.bcrypt import BcryptHasher
from pydantic import BaseModel
from sqlalchemy.orm.exc import StaleDataError

ACCESS_LIFETIME = 15 * 60
REFRESH_LIFETIME = 30 * 24 * 60 * 60

password_helper = PasswordHelper(PasswordHash((BcryptHasher(int(os.environ["BCRYPT_COST"])),)))


class UserRead(schemas.BaseUser[UUID]):
    """A person, as the API shows one."""


class UserCreate(schemas.BaseUserCreate):
    """A person who signs up."""


class UserUpdate(schemas.BaseUserUpdate):
    """What a person may change."""


class Refresh(BaseModel):
    """A refresh token to trade."""

    refresh_token: str


class TokenPair(Refresh):
    """What signing in and refreshing hand out."""

    access_token: str
    token_type: str = "bearer"


class UserManager(UUIDIDMixin, BaseUserManager[User, UUID]):
    """The library's rules, and no mail."""


class RefreshStrategy(DatabaseStrategy[User, UUID, AccessToken]):
    """Refresh tokens on the library's database strategy."""

    async def swap_token(self, token: str, user_manager: UserManager) -> tuple[User, str] | None:
        """Put a new token into the row of this one; None when it is not, or no longer, good."""
        now = datetime.now(UTC)
        row = await self.database.get_by_token(token, now - timedelta(seconds=REFRESH_LIFETIME))
        if row is None:
            return None
        user = await user_manager.get(row.user_id)
        new = {"token": secrets.token_urlsafe(), "created_at": now}
        try:
            row = await self.database.update(row, new)
        except StaleDataError:  # another request has swapped it since
            return None
        return (user, row.token) if user.is_active else None


async def get_user_manager(
    users: Annotated[SQLAlchemyUserDatabase, Depends(get_user_database)],
) -> AsyncIterator[UserManager]:
    """Hand a request the rules about people."""
    yield UserManager(users, password_helper)


def get_jwt_strategy() -> JWTStrategy[User, UUID]:
    """Access tokens are signed, and nowhere stored."""
    return JWTStrategy(secret=os.environ["SECRET_KEY"], lifetime_seconds=ACCESS_LIFETIME)


def get_refresh_strategy(
    tokens: Annotated[SQLAlchemyAccessTokenDatabase, Depends(get_token_database)],
) -> RefreshStrategy:
    """Refresh tokens are rows."""
    return RefreshStrategy(tokens, lifetime_seconds=REFRESH_LIFETIME)


Manager = Annotated[UserManager, Depends(get_user_manager)]
AccessTokens = Annotated[JWTStrategy, Depends(get_jwt_strategy)]
RefreshTokens = Annotated[RefreshStrategy, Depends(get_refresh_strategy)]

backend = AuthenticationBackend(
    name="jwt", transport=BearerTransport(tokenUrl="auth/login"), get_strategy=get_jwt_strategy
)
fastapi_users = FastAPIUsers[User, UUID](get_user_manager, [backend])
router = APIRouter()


@router.post("/login")
async def sign_in(
    credentials: Annotated[OAuth2PasswordRequestForm, Depends()],
    user_manager: Manager,
    access: AccessTokens,
    refresh: RefreshTokens,
) -> TokenPair:
    """Do what the library's login does, and hand out a refresh token too."""
    user = await user_manager.authenticate(credentials)
    if user is None or not user.is_active:
        raise HTTPException(400, ErrorCode.LOGIN_BAD_CREDENTIALS)
    return TokenPair(
        access_token=await access.write_token(user), refresh_token=await refresh.write_token(user)
    )


@router.post("/refresh")
async def trade(
    presented: Refresh, user_manager: Manager, access: AccessTokens, refresh: RefreshTokens
) -> TokenPair:
    """Trade a refresh token for a new pair."""
    swapped = await refresh.swap_token(presented.refresh_token, user_manager)
    if swapped is None:
        raise HTTPException(401)
    user, token = swapped
    return TokenPair(access_token=await access.write_token(user), refresh_token=token)


app = FastAPI()
app.include_router(router, prefix="/auth")
app.include_router(fastapi_users.get_register_router(UserRead, UserCreate), prefix="/auth")
app.include_router(fastapi_users.get_users_router(UserRead, UserUpdate), prefix="/users")
