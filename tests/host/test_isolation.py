"""Host and Latchkey keep out of each other's way."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Closing
from tests.doors.probes import cookies_set, without_chance
from tests.host.conftest import MakeHost
from tests.host.kit import PAGE, JsonDoorAtHost, latchkey_of, make_host, protect
from tests.support import PASSWORD, csrf_token_in, make_settings
from webapp import Latchkey
from webapp.factory import create_app

UNTOUCHED = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "template_context_processors",
    "url_default_functions",
    "url_value_preprocessors",
    "shell_context_processors",
    "view_functions",
    "blueprints",
    "jinja_options",
)
THEIRS = ("sqlalchemy", "flask-jwt-extended")


def state_of(host: Flask) -> dict[str, Any]:
    """Return all that Latchkey must leave as it is."""
    state: dict[str, Any] = {name: repr(getattr(host, name)) for name in UNTOUCHED}
    environment = host.jinja_env
    return state | {
        "config": dict(host.config),
        "handlers": [
            (place, code, kind, handler)
            for place, codes in host.error_handler_spec.items()
            for code, kinds in codes.items()
            for kind, handler in kinds.items()
        ],
        "json": host.json,
        "routes": [repr(rule) for rule in host.url_map.iter_rules()],
        "loader": host.jinja_loader.searchpath,  # type: ignore[union-attr]
        "globals": dict(environment.globals),
        "filters": dict(environment.filters),
        "tests": dict(environment.tests),
        "environment": (environment, environment.trim_blocks, environment.lstrip_blocks),
        "session": host.session_interface,
        "classes": (host.request_class, host.response_class, host.test_client_class),
        "log": (host.logger.name, list(host.logger.handlers), host.logger.level),
        "extensions": {k: repr(v) for k, v in host.extensions.items() if k in THEIRS},
        "commands": {k: v for k, v in host.cli.commands.items() if k != "latchkey"},
    }


def test_nothing_of_the_host_is_another_than_before(in_front: MakeHost, prefix: str) -> None:
    host = make_host()
    before = state_of(host)
    in_front(host, prefix)
    assert state_of(host) == before


def test_nothing_of_the_host_is_another_once_both_have_answered(
    in_front: MakeHost, prefix: str
) -> None:
    host = make_host()
    before = state_of(host)
    in_front(host, prefix)
    client = host.test_client()
    for path in ("/host/page", "/host/broken", f"{prefix}/login", "/nothing"):
        client.get(path, headers=PAGE)
    assert state_of(host) == before


@pytest.fixture
def bare() -> FlaskClient:
    """A browser at the same host without a Latchkey."""
    return make_host().test_client()


@pytest.mark.parametrize(
    "path",
    ["/", "/host/page", "/host/broken", "/host/json", "/static/latchkey.css", "/nothing", "/ide"],
)
def test_the_host_answers_as_ever(host: Flask, bare: FlaskClient, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        ours, theirs = (c.open(path, method=method) for c in (host.test_client(), bare))
        with ours, theirs:
            assert without_chance(ours) == without_chance(theirs)


def test_the_hosts_own_habits_are_really_at_work(host: Flask) -> None:
    client = host.test_client()
    assert client.get("/nothing").text == "the host's 404"
    assert client.get("/host/broken").text == "the host's 500"
    page = client.get("/host/page").text
    assert "The host's own layout" in page
    assert "Bells for nobody" in page
    reply = client.get("/host/json")
    assert (reply.text, reply.mimetype) == (
        '{\n  "price": "1.50"\n}\n',
        "application/vnd.host+json",
    )
    with client.get("/static/latchkey.css") as style:
        assert style.get_data(as_text=True) == "the host's own style\n"


def test_the_hosts_limit_holds_for_the_host(host: Flask) -> None:
    client = host.test_client()
    assert client.post("/host/big", data={"text": "x" * 150_000}).text == "150000"
    assert client.post("/host/big", data={"text": "x" * 210_000}).text == "the host's 413"


def test_the_hosts_login_stays(host: Flask, alice: JsonDoorAtHost) -> None:
    assert alice.client.get("/host/own-login").text == "fine"
    alice.sign_out()
    assert alice.client.get("/host/own-account").text == "the host's user"
    assert alice.client.get("/host/maybe").text == "a stranger"


def test_latchkey_answers_as_it_does_alone(
    host: Flask, closing: Closing, prefix: str, database_url: str
) -> None:
    app = closing(create_app(make_settings(database_url).below(prefix)))
    assert app.test_client().get("/login").status_code == (404 if prefix else 200)
    alone = app.test_client()
    client = host.test_client()
    for path in ("/login", "/signup", "/account", "/api/v1/auth/me", "/api/v1/openapi.json"):
        ours, theirs = (c.get(prefix + path) for c in (client, alone))
        # Without a prefix /static is the host's.
        text = ours.text.replace("/latchkey/static/", "/static/")
        assert without_chance(ours)[0] == without_chance(theirs)[0]
        assert len(text) == len(theirs.text)
        assert dict(ours.headers).keys() == dict(theirs.headers).keys()
        assert "X-Host" not in ours.headers
        assert ours.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_of_the_host_runs_for_latchkeys_paths(host: Flask, prefix: str) -> None:
    client = host.test_client()
    for path in ("/login", "/api/v1/auth/me", "/account", "/healthz"):
        client.get(prefix + path)
    client.post(f"{prefix}/login", data={"email": "x" * 70_000})
    assert host.extensions["seen"] == []


def test_latchkeys_limit_holds_for_latchkey(host: Flask, prefix: str) -> None:
    body = {"email": "a@example.com", "password": "x" * 70_000}
    reply = host.test_client().post(f"{prefix}/api/v1/auth/login", json=body)
    assert (reply.status_code, reply.get_json()["code"]) == (413, "too_large")


def test_latchkeys_errors_are_latchkeys(in_front: MakeHost) -> None:
    client = in_front(make_host(), "/id").test_client()
    assert "Nothing here" in client.get("/id/nothing").text
    assert client.get("/id/api/v1/nothing").get_json()["code"] == "not_found"
    assert client.put("/id/login").status_code == 405
    assert client.get("/nothing").text == "the host's 404"


def test_latchkeys_pages_have_latchkeys_templates_and_styles(host: Flask, prefix: str) -> None:
    client = host.test_client()
    page = client.get(f"{prefix}/login").text
    assert "The host's own layout" not in page
    assert "the host's name" not in page
    folder = f"{prefix}/static" if prefix else "/latchkey/static"
    assert f'href="{folder}/latchkey.css"' in page
    with client.get(f"{folder}/latchkey.css") as style:
        assert "--accent" in style.get_data(as_text=True)


def test_the_hosts_csrf_protection_and_latchkeys_do_not_meet(
    in_front: MakeHost, prefix: str
) -> None:
    host = make_host()
    protect(host)
    in_front(host, prefix)
    assert host.test_client().post("/host/big", data={"text": "x"}).text == "the host's 400"
    door = JsonDoorAtHost(host)
    door.make_account()
    token = csrf_token_in(door.client.get("/login").text)
    form = {"email": "alice@example.com", "password": PASSWORD, "csrf_token": token}
    assert door.client.post("/login", data=form).status_code == 303
    assert door.client.post("/login", data=form | {"csrf_token": "x"}).status_code == 403


def test_two_hosts_in_one_process_know_nothing_of_each_other(
    in_front: MakeHost, tmp_path: Any, migrated_file: Any
) -> None:
    other_file = tmp_path / "other.db"
    other_file.write_bytes(migrated_file.read_bytes())
    first = JsonDoorAtHost(in_front(make_host(), "/id"))
    second = JsonDoorAtHost(
        in_front(
            make_host(),
            "/accounts",
            database_url=f"sqlite:///{other_file}",
            app_name="Other",
            base_url="http://other.example",
            secret_key="q8Zk3vB1xWm7RtYc5LpNs2Hd9Gf4JaEu6",
        )
    )
    first.make_account()
    assert first.sign_in("alice@example.com").is_fine
    assert second.sign_in("alice@example.com").code == "invalid_credentials"
    assert "Other" in second.client.get("/login").text
    assert "Other" not in first.client.get("/login").text
    token = first.cookie("access_token")
    assert token is not None
    for door, status in ((first, 200), (second, 401)):
        headers = {"Authorization": f"Bearer {token}"}
        assert door.client.get("/host/guarded", headers=headers).status_code == status


def test_one_host_has_one_latchkey(host: Flask, database_url: str) -> None:
    with pytest.raises(RuntimeError, match="already"):
        Latchkey(host, make_settings(database_url), url_prefix="/other")


def test_cookies_of_latchkey_alone_are_set_on_its_paths(host: Flask, prefix: str) -> None:
    reply = host.test_client().get(f"{prefix}/login")
    assert set(cookies_set(reply)) == {"XSRF-TOKEN"}
    assert latchkey_of(host).app.config["SECRET_KEY"] != host.config["SECRET_KEY"]
