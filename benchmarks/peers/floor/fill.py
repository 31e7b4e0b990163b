"""Make the tables, and $PEOPLE people whose password is $PASSWORD."""

import os

import bcrypt
import psycopg

TABLES = """
    CREATE TABLE users (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email text NOT NULL UNIQUE,
        password_hash text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
        secret_hash bytea NOT NULL,
        expires_at timestamptz NOT NULL DEFAULT now() + interval '30 days'
    );
    CREATE INDEX ON sessions (user_id);
"""

salt = bcrypt.gensalt(int(os.environ["BCRYPT_COST"]))
password_hash = bcrypt.hashpw(os.environ["PASSWORD"].encode(), salt).decode()
with psycopg.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
    cursor.execute(TABLES)
    with cursor.copy("COPY users (email, password_hash) FROM STDIN") as copy:
        for number in range(int(os.environ["PEOPLE"])):
            copy.write_row((f"person-{number}@example.com", password_hash))
