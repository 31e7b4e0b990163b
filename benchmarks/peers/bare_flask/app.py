"""Flask alone: what a view costs that answers a small object and does nothing else.

There is nobody to sign in, so `json` is the one operation: an object of the size of what `me`
answers elsewhere.
"""

from flask import Flask, Response, jsonify

app = Flask(__name__)


@app.get("/json")
def small_object() -> Response:
    """Answer what looks like a person."""
    return jsonify(
        id="0198c1de-7f3a-7c04-9d53-6a1f0e2b4c8d",
        email="person-12345@example.com",
        email_verified=True,
        name="Person 12345",
        roles=["user"],
        created_at="2026-01-01T12:00:00Z",
    )
