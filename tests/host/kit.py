"""A host application with habits of its own, and the doors of the Latchkey in front of it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template, request, session
from flask.json.provider import DefaultJSONProvider
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from flask_jwt_extended import JWTManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException

from tests.doors_kit import Door, JsonDoor, PagesDoor
from webapp import current_user, maybe_signed_in, signed_in
from webapp.host.mounted import NAME, Mounted

SITE = Path(__file__).with_name("site")
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOST_LIMIT = 200 * 1024


class HostJSON(DefaultJSONProvider):
    """JSON as this host likes it."""

    mimetype = "application/vnd.host+json"
    compact = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return super().loads(s, **kwargs, parse_float=Decimal)


def make_host() -> Flask:
    """Return an application that does everything its own way; it knows nothing of Latchkey."""
    host = Flask("host", root_path=str(SITE), template_folder="templates", static_folder="static")
    host.config.update(
        SECRET_KEY="the host's own",
        MAX_CONTENT_LENGTH=HOST_LIMIT,
        JWT_SECRET_KEY="the host's own secret, of 32 bytes",
        JWT_ACCESS_COOKIE_NAME="host_jwt",
        SQLALCHEMY_DATABASE_URI="sqlite://",
    )
    host.json = HostJSON(host)
    host.jinja_options = {"variable_start_string": "[[", "variable_end_string": "]]"}
    SQLAlchemy(host)
    JWTManager(host)
    _behave(host)
    _open(host)
    return host


def _behave(host: Flask) -> None:
    """Give it handlers, headers and a login of its own."""

    host.extensions["seen"] = []

    @host.before_request
    def count() -> None:
        host.extensions["seen"].append(request.path)

    @host.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Host"] = "was here"
        return response

    @host.context_processor
    def know() -> dict[str, str]:
        return {"app_name": "the host's name", "root": "/wrong", "shop": "Bells"}

    @host.errorhandler(404)
    def missing(_error: HTTPException) -> ResponseReturnValue:
        return "the host's 404", 404

    @host.errorhandler(Exception)
    def broken(error: Exception) -> ResponseReturnValue:
        status = error.code if isinstance(error, HTTPException) and error.code else 500
        return f"the host's {status}", status

    @host.teardown_request
    def note(_error: BaseException | None) -> None:
        host.extensions["seen"].append(f"{request.path} is over")


def _open(host: Flask) -> None:
    """Give it views, under names that Latchkey's rooms have, too."""
    profile = Blueprint("profile", __name__, url_prefix="/host")

    @profile.get("/page")
    def page() -> str:
        return render_template("page.html", user=None)

    @profile.get("/broken")
    def fail() -> str:
        raise LookupError

    @profile.get("/json")
    def show_json() -> Response:
        return jsonify(price=Decimal("1.50"))

    @profile.post("/big")
    def take() -> str:
        return str(len(request.form["text"]))

    @profile.get("/own-login")
    def log_in() -> str:
        session["user"] = "the host's user"
        return "fine"

    @profile.get("/own-account")
    def own_account() -> str:
        return str(session.get("user"))

    @profile.route("/guarded", methods=["GET", "POST"])
    @signed_in
    def guarded() -> str:
        user = current_user()
        assert user is not None
        return f"{request.method} {user.email} {request.form.get('text', '')}"

    @profile.post("/guarded-json")
    @signed_in
    def guarded_json() -> str:
        return type(request.get_json()["price"]).__name__

    @profile.get("/maybe")
    @maybe_signed_in
    def maybe() -> str:
        user = current_user()
        return user.email if user else "a stranger"

    host.register_blueprint(profile)


def protect(host: Flask) -> None:
    """Give it Flask-WTF's protection of everything that changes something."""
    CSRFProtect(host)


def latchkey_of(host: Flask) -> Mounted:
    """Return the Latchkey in front of a host."""
    found: Mounted = host.extensions[NAME]
    return found


def client_below(prefix: str) -> type[FlaskClient]:
    """Return a browser that asks for Latchkey's paths below a prefix, and for the host's as is."""

    class Client(FlaskClient):
        def open(self, *args: Any, **kwargs: Any) -> Any:
            path = args[0] if args else ""
            if isinstance(path, str) and path.startswith("/"):
                is_whole = path.startswith(("/host", f"{prefix}/")) and bool(prefix)
                args = (path if is_whole else prefix + path, *args[1:])
            return super().open(*args, **kwargs)

    return Client


class _AtHost(Door):
    """A door of a Latchkey that stands in front of a host."""

    def __init__(self, host: Flask) -> None:
        self.host = host
        self.mounted = latchkey_of(host)
        self.prefix = self.mounted.parts.settings.url_prefix
        self.app = self.mounted.app
        self.client = client_below(self.prefix)(host, host.response_class)

    def another_browser(self) -> Door:
        return type(self)(self.host)


class JsonDoorAtHost(_AtHost, JsonDoor):
    """The JSON door."""


class PagesDoorAtHost(_AtHost, PagesDoor):
    """The pages."""

    def who_am_i(self) -> str | None:
        response = self.client.get("/host/maybe", headers=PAGE, follow_redirects=True)
        return None if response.text == "a stranger" else response.text
