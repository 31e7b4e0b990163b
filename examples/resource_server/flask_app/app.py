"""A small service that trusts Latchkey's access tokens, and asks nobody about a request.

flask run, with the settings that examples/resource_server/README.md lists.
"""

import os

from flask import Flask, Response, jsonify, request
from tokens import EndedSessions, Expected, Keys, NotKnownYet, Refused, Verifier


def create_app() -> Flask:
    """Return the service, with its settings from the environment."""
    app = Flask(__name__)
    base = os.environ["LATCHKEY_URL"]
    expected = Expected(
        issuer=os.environ.get("LATCHKEY_ISSUER", base),
        audience=os.environ.get("LATCHKEY_AUDIENCE", base),
        algorithm=os.environ.get("LATCHKEY_ALGORITHM", "EdDSA"),
    )
    keys = Keys(f"{base}/.well-known/jwks.json", float(os.environ.get("READ_KEYS_EVERY", "60")))
    ended = EndedSessions(
        f"{base}/api/v1/auth/revocations",
        os.environ["LATCHKEY_FEED_TOKEN"],
        float(os.environ.get("FEED_MAX_AGE", "10")),
    )
    verifier = Verifier(expected, keys, ended)
    verifier.start()

    @app.get("/hello")
    def hello() -> Response:
        """Say who is asking, by what the token says."""
        claims = verifier.verify(_bearer_token())
        return jsonify(user=claims["sub"], email=claims.get("email"), roles=claims["roles"])

    @app.get("/admin")
    def admin() -> tuple[Response, int]:
        """Let admins in alone."""
        claims = verifier.verify(_bearer_token())
        if "admin" not in claims["roles"]:
            return jsonify(error="forbidden"), 403
        return jsonify(user=claims["sub"]), 200

    @app.errorhandler(Refused)
    def refuse(_error: Refused) -> tuple[Response, int, dict[str, str]]:
        header = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return jsonify(error="invalid_token"), 401, header

    @app.errorhandler(NotKnownYet)
    def wait(_error: NotKnownYet) -> tuple[Response, int, dict[str, str]]:
        return jsonify(error="temporarily_unavailable"), 503, {"Retry-After": "2"}

    return app


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused
    return token.strip()
