"""A tiny application with one page for members; Latchkey signs them in, below /id.

From the project's folder:

    .venv/bin/flask --app examples.host_app.app latchkey db upgrade
    .venv/bin/gunicorn examples.host_app.app:app
"""

from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config import Settings
from webapp import (
    Latchkey,
    csrf_token,
    current_user,
    maybe_signed_in,
    sign_in_path,
    sign_out_path,
    signed_in,
)

app = Flask(__name__)
Latchkey(app, Settings.from_env(), url_prefix="/id")
app.jinja_env.globals.update(
    csrf_token=csrf_token,
    current_user=current_user,
    sign_in_path=sign_in_path,
    sign_out_path=sign_out_path,
)

guests: list[str] = []


@app.get("/")
@maybe_signed_in
def home() -> ResponseReturnValue:
    """Greet everybody, and members by name."""
    return render_template("home.html")


@app.get("/guestbook")
@signed_in
def guestbook() -> ResponseReturnValue:
    """Show the guest book to members."""
    return render_template("guestbook.html", guests=guests)


@app.post("/guestbook")
@signed_in
def sign() -> ResponseReturnValue:
    """Let a member write into it."""
    guests.append(request.form.get("text", "")[:200])
    return redirect(url_for("guestbook"), 303)
