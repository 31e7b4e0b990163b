"""All that is kept about a person, as one file."""

import json
from typing import Any

from apiflask import APIFlask

from tests.account_kit import ALICE, BOB, AccountJson, AccountPages, account_of, move, signed_in
from tests.support import PASSWORD
from webapp.extensions import db

# What no copy may hold: whoever has the file must not be able to sign in with it.
SECRETS = {("users", "password_hash"), ("one_time_tokens", "digest")}
# What serves the machine alone and says nothing about the person: counters and locks of the
# refresh rule, how it is told apart, and moments that stand in the file under another name.
INNER = {
    "users": {"devices_since", "disabled_at", "deleted_at", "name_key", "roles_changed_at"},
    "sessions": {
        "generation",
        "parent",
        "rotated_at",
        "authenticated_at",
        "amr",
        "changed_at",
        "end_reason",
        "is_persistent",
    },
    "one_time_tokens": {"subject", "used_at", "browser_digest"},
    "outbox": {
        "id",
        "template",
        "text",
        "html",
        "attempts",
        "due_at",
        "claim",
        "delivered_at",
        "last_error",
    },
    "audit_events": {"id", "actor_id"},
    "user_roles": set[str](),
}


def export_of(door: AccountJson) -> dict[str, Any]:
    response = door.client.get("/api/v1/auth/me/export")
    assert response.status_code == 200
    found: dict[str, Any] = response.get_json()
    return found


def rows_of(app: APIFlask, user_id: str, email: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every row of every table that is about a person."""
    found = []
    with app.app_context():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(table.select()).mappings():
                if user_id in row.values() or email in (row.get("recipient"), row.get("email")):
                    found.append((table.name, dict(row)))
    return found


def busy_person(app: APIFlask) -> AccountJson:
    """Return somebody about whom there is something in every table."""
    door = signed_in(AccountJson(app))
    door.post("me", {"name": "Alice Lidell"}, "PATCH")
    AccountJson(app).sign_in(ALICE, "a wrong guess")
    gone = AccountJson(app)
    gone.sign_in(ALICE)
    gone.sign_out()
    move(door, "alice@new.example")
    door.forgot("alice@new.example")
    door.change_email("alice@third.example")
    return door


def test_it_holds_every_row_about_the_person(app: APIFlask) -> None:
    door = busy_person(app)
    kept = rows_of(app, account_of(app, "alice@new.example").id, "alice@new.example")
    file = export_of(door)
    counts = {name: [table for table, _ in kept].count(name) for name in INNER}
    assert len(file["sessions"]) == counts["sessions"] > 1
    assert len(file["links"]) == counts["one_time_tokens"] > 2
    assert len(file["events"]) == counts["audit_events"] > 5
    assert len(file["mail"]) == counts["outbox"] > 0


def test_it_holds_every_column_about_the_person(app: APIFlask) -> None:
    door = busy_person(app)
    user_id = account_of(app, "alice@new.example").id
    text = json.dumps(export_of(door), ensure_ascii=False)
    for table, row in rows_of(app, user_id, "alice@new.example"):
        for column, value in row.items():
            if value is None or column in INNER[table] or (table, column) in SECRETS:
                continue
            shown = value.isoformat()[:26] if hasattr(value, "isoformat") else str(value)
            assert json.dumps(shown, ensure_ascii=False)[1:-1] in text, f"{table}.{column}"


def test_it_holds_no_secret(app: APIFlask) -> None:
    door = busy_person(app)
    email = "alice@new.example"
    text = json.dumps(export_of(door), ensure_ascii=False)
    for table, row in rows_of(app, account_of(app, email).id, email):
        for column in ("password_hash", "digest", "browser_digest"):
            assert not row.get(column) or row[column] not in text, f"{table}.{column}"
    assert PASSWORD not in text
    assert "token=" not in text
    for name, path in (("access_token", "/"), ("refresh_token", "/api/v1/auth/refresh")):
        assert str(door.cookie(name, path)) not in text


def test_it_holds_nothing_about_others(app: APIFlask) -> None:
    signed_in(AccountJson(app), BOB)
    text = json.dumps(export_of(busy_person(app)))
    assert BOB not in text
    assert account_of(app, BOB).id not in text


def test_it_is_a_file_to_keep(app: APIFlask) -> None:
    door = signed_in(AccountPages(app))
    for path in ("/account/export", "/api/v1/auth/me/export"):
        response = door.client.get(path)
        assert response.mimetype == "application/json"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.get_json()["account"]["email"] == ALICE


def test_it_needs_a_sign_in(app: APIFlask) -> None:
    assert app.test_client().get("/api/v1/auth/me/export").status_code == 401
    assert app.test_client().get("/account/export").headers["Location"].startswith("/login")
