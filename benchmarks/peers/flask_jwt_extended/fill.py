"""Make the tables, and $PEOPLE people whose password is $PASSWORD."""

import os

from app import User, app, bcrypt, db
from sqlalchemy import insert

BATCH = 5_000

people = int(os.environ["PEOPLE"])
with app.app_context():
    db.create_all()
    password_hash = bcrypt.generate_password_hash(os.environ["PASSWORD"]).decode()
    for start in range(0, people, BATCH):
        numbers = range(start, min(start + BATCH, people))
        rows = [
            {"email": f"person-{number}@example.com", "password_hash": password_hash}
            for number in numbers
        ]
        db.session.execute(insert(User), rows)
    db.session.commit()
