"""Make the tables, and $PEOPLE people whose password is $PASSWORD."""

import os
import uuid

from app import User, app, db
from flask_security import hash_password, naive_utcnow
from sqlalchemy import insert

BATCH = 5_000

people = int(os.environ["PEOPLE"])
with app.app_context():
    db.create_all()
    shared = {
        "password": hash_password(os.environ["PASSWORD"]),
        "active": True,
        "confirmed_at": naive_utcnow(),
    }
    for start in range(0, people, BATCH):
        numbers = range(start, min(start + BATCH, people))
        rows = [
            {"email": f"person-{number}@example.com", "fs_uniquifier": uuid.uuid4().hex, **shared}
            for number in numbers
        ]
        db.session.execute(insert(User), rows)
    db.session.commit()
