"""Makes the tables in an empty database and puts $PEOPLE people into it, all with $PASSWORD."""

import asyncio
import os

from app import password_helper
from database import Base, User, engine
from sqlalchemy import insert

BATCH = 5_000


async def fill(people: int, password: str) -> None:
    """Store person-0 to person-<people - 1>, who share one hash."""
    hashed = password_helper.hash(password)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        for start in range(0, people, BATCH):
            rows = [
                {
                    "email": f"person-{number}@example.com",
                    "hashed_password": hashed,
                    "is_verified": True,
                }
                for number in range(start, min(start + BATCH, people))
            ]
            await connection.execute(insert(User), rows)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(fill(int(os.environ["PEOPLE"]), os.environ["PASSWORD"]))
