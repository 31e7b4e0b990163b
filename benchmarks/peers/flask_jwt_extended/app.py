"""Flask-JWT-Extended, assembled from its documentation.

"Automatic User Loading" gives the lookup callback, "Explicit Refreshing With Refresh Tokens" the
two tokens, "JWT Revoking / Blocklist", section Database, the table and its callback, which the
library calls on every protected request. The documentation stops at a refresh that answers an
access token alone; here, a refresh also puts the token presented on the blocklist and hands out a
new one. The blocklist's index is a unique one, so that of two requests with the same token one
wins. Passwords are hashed by Flask-Bcrypt, at $BCRYPT_COST.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_bcrypt import Bcrypt
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    get_jwt,
    jwt_required,
)
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

Answer = Response | tuple[Response, int]

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace(
    "postgresql://", "postgresql+psycopg://", 1
)
app.config["JWT_SECRET_KEY"] = os.environ["SECRET_KEY"]
app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(minutes=15)
app.config["JWT_REFRESH_TOKEN_EXPIRES"] = timedelta(days=30)
app.config["BCRYPT_LOG_ROUNDS"] = int(os.environ["BCRYPT_COST"])

db = SQLAlchemy(app)
jwt = JWTManager(app)
bcrypt = Bcrypt(app)


class User(db.Model):
    """A person."""

    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(255), nullable=False, unique=True)
    password_hash = db.Column(db.String(60), nullable=False)


class TokenBlocklist(db.Model):
    """A token that is dead before its time."""

    id = db.Column(db.Integer, primary_key=True)
    jti = db.Column(db.String(36), nullable=False, unique=True)
    created_at = db.Column(db.DateTime(timezone=True), nullable=False)


@jwt.user_identity_loader
def identity_of(user: User) -> str:
    """Return what a token calls a person by."""
    return str(user.id)


@jwt.user_lookup_loader
def load_user(_header: dict[str, Any], payload: dict[str, Any]) -> User | None:
    """Return the person whom a token names."""
    return db.session.get(User, int(payload["sub"]))


@jwt.token_in_blocklist_loader
def is_revoked(_header: dict[str, Any], payload: dict[str, Any]) -> bool:
    """Say whether a token is on the blocklist."""
    found = db.session.execute(select(TokenBlocklist.id).filter_by(jti=payload["jti"]))
    return found.scalar() is not None


@app.get("/me")
@jwt_required()
def me() -> Answer:
    """Answer who is asking."""
    return jsonify(id=current_user.id, email=current_user.email)


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh() -> Answer:
    """Trade a refresh token for a new pair."""
    # Before the commit, which would have the person read again.
    answer = jsonify(tokens_for(current_user))
    db.session.add(TokenBlocklist(jti=get_jwt()["jti"], created_at=datetime.now(UTC)))
    try:
        db.session.commit()
    except IntegrityError:
        return jsonify(msg="Token has been revoked"), 401
    return answer


@app.post("/login")
def sign_in() -> Answer:
    """Answer a new pair of tokens for an address and its password."""
    body = request.get_json()
    found = db.session.execute(select(User).filter_by(email=body["email"]))
    user = found.scalar_one_or_none()
    if user is None or not bcrypt.check_password_hash(user.password_hash, body["password"]):
        return jsonify(msg="Bad email or password"), 401
    return jsonify(tokens_for(user))


@app.post("/register")
def sign_up() -> Answer:
    """Make an account."""
    body = request.get_json()
    password_hash = bcrypt.generate_password_hash(body["password"]).decode()
    user = User(email=body["email"], password_hash=password_hash)
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        return jsonify(msg="Email is taken"), 409
    return jsonify(email=body["email"]), 201


def tokens_for(user: User) -> dict[str, str]:
    """Make a pair of tokens."""
    return {
        "access_token": create_access_token(identity=user),
        "refresh_token": create_refresh_token(identity=user),
    }
