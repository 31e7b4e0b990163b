"""The documentation says what the code does: settings, commands, routes and error codes."""

import re
from datetime import timedelta
from pathlib import Path

import click
import pytest
from apiflask import APIFlask
from flask_migrate.cli import db as migrations
from limits import RateLimitItem
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config import ROOT, Settings
from webapp import errors
from webapp.doors import statuses
from webapp.services import policy, throttle

DOCS = ROOT / "docs"
UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def as_setting(value: object) -> str:
    """Write a default as an operator would."""
    if isinstance(value, SecretStr) or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return f"`{'on' if value else 'off'}`"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        length, unit = next((n, u) for n, u in UNITS if seconds % n == 0)
        return f"`{seconds // length}{unit}`"
    return f"`{value}`"


def row_of(name: str, field: FieldInfo) -> str:
    """Return the row of a setting in docs/configuration.md."""
    return f"| `{name.upper()}` | {as_setting(field.default)} | {field.description} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_as_it_is(name: str) -> None:
    row = row_of(name, Settings.model_fields[name])
    assert row in (DOCS / "configuration.md").read_text().splitlines(), row


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = re.findall(r"^\| `([A-Z_]+)` \|", (DOCS / "configuration.md").read_text(), re.M)
    assert {name.lower() for name in named} <= set(Settings.model_fields) | BESIDE


# What gunicorn.conf.py reads beside the settings.
BESIDE = {"bind", "web_concurrency", "threads", "prometheus_multiproc_dir"}


def test_the_example_names_only_settings_that_exist() -> None:
    named = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_command_is_documented(app: APIFlask) -> None:
    text = (DOCS / "commands.md").read_text()
    ours = [
        name for name in app.cli.commands if name not in ("run", "shell", "routes", "spec", "db")
    ]
    for name in ours:
        group = app.cli.commands[name]
        if not isinstance(group, click.Group):
            assert f"`flask {name}`" in text, f"flask {name}"
            continue
        for command in group.commands:
            assert f"flask {name} {command}" in text, f"flask {name} {command}"
    for group_name, command in re.findall(r"`flask (\w+) ([\w-]+)", text):
        found = migrations if group_name == "db" else app.cli.commands[group_name]
        assert isinstance(found, click.Group)
        assert command in found.commands, f"flask {group_name} {command}"


def test_every_make_target_is_documented() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", Path(ROOT / "Makefile").read_text(), re.M)
    documented = re.findall(r"^\| `make ([\w-]+)`", (DOCS / "commands.md").read_text(), re.M)
    assert sorted(targets) == sorted(documented)


def test_every_route_is_documented_and_every_documented_route_exists(app: APIFlask) -> None:
    text = (DOCS / "api.md").read_text()
    documented = {
        (method, path)
        for methods, path in re.findall(r"^\| `([A-Z ]+) (/[^`]*)` \|", text, re.M)
        for method in methods.split()
    }
    existing = {
        (method, str(rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert documented == existing


def test_every_error_code_is_documented_with_its_status() -> None:
    text = (DOCS / "api.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.M))
    ours = {(kind.code, str(status)) for kind, status in statuses.STATUSES.items()}
    http = {(code, str(status)) for status, (code, _) in statuses._HTTP_CODES.items()}
    unexpected = {(statuses.UNEXPECTED[0], "500")}
    assert rows == ours | http | unexpected


def every_error(root: type[errors.AuthError] = errors.AuthError) -> set[type[errors.AuthError]]:
    """Return all errors that can be raised: those that have a message."""
    found = {root} if "message" in vars(root) else set()
    return found.union(*(every_error(kind) for kind in root.__subclasses__()))


def test_every_error_has_a_status() -> None:
    assert every_error() == set(statuses.STATUSES)


def test_the_limits_are_documented_as_they_are() -> None:
    section = _section("Limits")
    documented = re.findall(r"^\| .* \| .* \| (\d+ .*) \|$", section, re.M)
    limits = [item for item in vars(throttle).values() if isinstance(item, RateLimitItem)]
    words = {15: "in 15 minutes", 60: "an hour"}
    ours = [f"{limit.amount} {words[limit.multiples]}" for limit in limits]
    assert sorted(documented) == sorted(ours)


def test_every_way_to_sign_in_is_documented() -> None:
    section = _section("Ways to sign in")
    documented = re.findall(r"^\| [^|]+ \| `(\w+)` \| [^|]+ \| `\w+` \|$", section, re.M)
    begin = re.compile(r"\b(?:sessions\.start|sign_ins\.complete)\(")
    files = (ROOT / "webapp" / "features").rglob("*.py")
    assert set(documented) == {file.parent.name for file in files if begin.search(file.read_text())}


def test_the_common_passwords_are_as_many_as_documented() -> None:
    common = policy._common_passwords() - {""}
    assert f"none of {len(common):,} common ones" in _section("Passwords")
    assert all(len(password) >= 8 for password in common)


def _section(title: str) -> str:
    """Return a section of docs/security.md."""
    return (DOCS / "security.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_code_of_a_field_is_documented() -> None:
    text = (DOCS / "api.md").read_text().rpartition("Codes in `errors`")[2]
    documented = set(re.findall(r"`(\w+)`", text))
    sources = "".join(file.read_text() for file in (ROOT / "webapp").rglob("*.py"))
    used = set(re.findall(r'FieldError\(\s*(?:"\w+"|field), "(\w+)"', sources))
    used |= set(re.findall(r'return \(?\s*"([a-z]+_[a-z_]+|missing)",', sources))
    used |= set(re.findall(r'": \("(\w+)", "', (ROOT / "webapp/doors/api/problems.py").read_text()))
    used |= {"invalid"}
    assert documented == used
