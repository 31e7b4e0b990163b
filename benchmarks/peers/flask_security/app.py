"""Flask-Security (the package once named Flask-Security-Too), assembled from its documentation.

The quick start for Flask-SQLAlchemy with the library's own models (fsqla_v4), its JSON endpoints
for signing up, signing in and refreshing, its authentication token (15 minutes by default) and,
new in 5.9, its refresh token, answered in the body rather than as a cookie. CSRF protection is as
"Enable protection for session auth, but not token auth" describes it, for an API that is asked
with tokens.

Two things are better than in the documentation: there are two more indexes, see below, and the
quick start's pool_pre_ping is left out, which saves a round trip to the database each request.

Passwords: argon2 is the library's default; bcrypt is chosen by setting, at $BCRYPT_COST. What is
hashed is an HMAC-SHA512 of the password, keyed with SECURITY_PASSWORD_SALT. Signing up also signs
in by cookie, as the library does where addresses are not confirmed by mail.
"""

import os

from flask import Flask, Response, jsonify
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user
from flask_security.models import fsqla_v4 as fsqla
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Index, func

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace(
    "postgresql://", "postgresql+psycopg://", 1
)
app.config["SECURITY_PASSWORD_HASH"] = "bcrypt"
app.config["SECURITY_PASSWORD_SALT"] = "salt of " + os.environ["SECRET_KEY"]
app.config["SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS"] = {
    "bcrypt__rounds": int(os.environ["BCRYPT_COST"])
}
app.config["SECURITY_REGISTERABLE"] = True
app.config["SECURITY_PASSWORD_CONFIRM_REQUIRED"] = False
app.config["SECURITY_SEND_REGISTER_EMAIL"] = False
# Else it asks the name service about each new address.
app.config["SECURITY_EMAIL_VALIDATOR_ARGS"] = {"check_deliverability": False}
app.config["SECURITY_REFRESH_TOKEN"] = True
app.config["SECURITY_REFRESH_TOKEN_COOKIE_NAME"] = None
app.config["WTF_CSRF_CHECK_DEFAULT"] = False
app.config["SECURITY_CSRF_PROTECT_MECHANISMS"] = ["session", "basic"]
app.config["SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS"] = True

db = SQLAlchemy(app)
CSRFProtect(app)
fsqla.FsModels.set_db_info(db)


class Role(db.Model, fsqla.FsRoleMixin):
    """A role."""


class User(db.Model, fsqla.FsUserMixin):
    """A person."""


class FsRefreshTracker(db.Model, fsqla.FsRefreshTrackerMixin):
    """A family of refresh tokens."""


# Not in the library's models, but its queries ask for them: it finds people by lower(email), and
# at each sign-in reads the families that the person has.
Index("ix_user_email_lower", func.lower(User.email))
Index("ix_fs_refresh_tracker_user_id", FsRefreshTracker.user_id)

datastore = SQLAlchemyUserDatastore(db, User, Role, refresh_tracker_model=FsRefreshTracker)
security = Security(app, datastore)


@app.get("/me")
@auth_required("token", "session")
def me() -> Response:
    """Answer who is asking."""
    return jsonify(id=current_user.id, email=current_user.email)
