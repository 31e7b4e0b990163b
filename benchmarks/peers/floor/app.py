"""The floor: the least that a sign-in on Flask and PostgreSQL can do and still be one.

Written by hand for this comparison, without an ORM or a library for accounts: psycopg with one
connection for each process (gunicorn's sync workers have one request at a time), each statement
its own transaction. The access token is an HS256 JWT of 15 minutes by PyJWT. The refresh token is
opaque: the session's id and a secret, of which the table has the SHA-256.

me: one statement. check: verifies the token and asks no database. refresh: one statement, which
compares and swaps; when nothing matched, a second one ends the session, since a secret that a
session no longer has was used before. sign_in: two statements. sign_up: one. Passwords are hashed
by bcrypt, at $BCRYPT_COST.
"""

import hashlib
import os
import secrets
import time
import uuid

import bcrypt
import jwt
import psycopg
from flask import Flask, Response, abort, jsonify, request

ACCESS_SECONDS = 15 * 60
SECRET_KEY = os.environ["SECRET_KEY"]
COST = int(os.environ["BCRYPT_COST"])

SELECT_ME = "SELECT id, email, created_at FROM users WHERE id = %s"
SELECT_PASSWORD = "SELECT id, password_hash FROM users WHERE email = %s"
INSERT_USER = """
    INSERT INTO users (email, password_hash) VALUES (%s, %s)
    ON CONFLICT (email) DO NOTHING RETURNING id
"""
INSERT_SESSION = "INSERT INTO sessions (id, user_id, secret_hash) VALUES (%s, %s, %s)"
ROTATE = """
    UPDATE sessions SET secret_hash = %s
    WHERE id = %s AND secret_hash = %s AND expires_at > now()
    RETURNING user_id
"""
END = "DELETE FROM sessions WHERE id = %s"

app = Flask(__name__)
_connections: list[psycopg.Connection] = []


def execute(statement: str, values: tuple[object, ...]) -> psycopg.Cursor:
    """Run one statement in this process's connection, opened anew when it broke."""
    if not _connections or _connections[0].closed:
        _connections[:] = [psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)]
    return _connections[0].execute(statement, values)


def person_of_request() -> int:
    """Return whom the access token names; 401 when there is none or it is not valid."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = jwt.decode(
            token, SECRET_KEY, algorithms=["HS256"], options={"require": ["exp", "sub"]}
        )
    except jwt.InvalidTokenError:
        abort(401)
    if scheme != "Bearer":
        abort(401)
    return int(claims["sub"])


def tokens(user_id: int, session_id: uuid.UUID, secret: str) -> Response:
    """Answer a pair of tokens."""
    now = int(time.time())
    claims = {"sub": str(user_id), "iat": now, "exp": now + ACCESS_SECONDS}
    return jsonify(
        access_token=jwt.encode(claims, SECRET_KEY, algorithm="HS256"),
        refresh_token=f"{session_id.hex}.{secret}",
    )


def hash_secret(secret: str) -> bytes:
    """Return what the table has of a refresh token's secret."""
    return hashlib.sha256(secret.encode()).digest()


@app.get("/check")
def check() -> Response:
    """Answer whom the token names, without asking the database."""
    return jsonify(id=person_of_request())


@app.get("/me")
def me() -> Response:
    """Answer who is asking."""
    row = execute(SELECT_ME, (person_of_request(),)).fetchone()
    if row is None:
        abort(401)
    return jsonify(id=row[0], email=row[1], created_at=row[2].isoformat())


@app.post("/refresh")
def refresh() -> Response:
    """Trade a refresh token for a new pair."""
    presented_id, _, presented = str(request.get_json()["refresh_token"]).partition(".")
    try:
        session_id = uuid.UUID(presented_id)
    except ValueError:
        abort(401)
    secret = secrets.token_urlsafe(32)
    values = (hash_secret(secret), session_id, hash_secret(presented))
    row = execute(ROTATE, values).fetchone()
    if row is None:
        execute(END, (session_id,))
        abort(401)
    return tokens(row[0], session_id, secret)


@app.post("/sign-in")
def sign_in() -> Response:
    """Start a session for an address and its password."""
    body = request.get_json()
    row = execute(SELECT_PASSWORD, (body["email"],)).fetchone()
    if row is None or not bcrypt.checkpw(body["password"].encode(), row[1].encode()):
        abort(401)
    session_id, secret = uuid.uuid4(), secrets.token_urlsafe(32)
    execute(INSERT_SESSION, (session_id, row[0], hash_secret(secret)))
    return tokens(row[0], session_id, secret)


@app.post("/sign-up")
def sign_up() -> tuple[Response, int]:
    """Make an account."""
    body = request.get_json()
    password_hash = bcrypt.hashpw(body["password"].encode(), bcrypt.gensalt(COST)).decode()
    row = execute(INSERT_USER, (body["email"], password_hash)).fetchone()
    if row is None:
        abort(409)
    return jsonify(id=row[0], email=body["email"]), 201
