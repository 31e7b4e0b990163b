"""Production refuses to start with anything missing, weak or known to everybody."""

import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import config_values
from config import ROOT, Settings, SettingsError
from tests.support import SECRET, environment_of, free_port, private_key, signing_key
from webapp.services.keys import load_keys

GOOD: dict[str, Any] = {
    "app_env": "production",
    "base_url": "https://id.example.org",
    "secret_key": SECRET,
    "jwt_private_key": signing_key(),
}


def start(**changes: Any) -> Settings:
    return Settings(_env_file=None, **(GOOD | changes)).completed()


def refusal(**changes: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        start(**changes)
    return str(refused.value)


def test_good_settings_are_taken() -> None:
    assert start().is_production


WEAK = {
    "missing": "",
    "short": "k" + secrets.token_urlsafe(20),
    "one byte short": secrets.token_hex(16)[:31],
    "one character": "x" * 64,
    "two characters": "ab" * 32,
    "a word": "change-me-" + "0123456789abcdef0123456789abcdef",
    "a description": "your-secret-key-" + "0123456789abcdef0123456789abcdef",
    "an example": "example-0123456789abcdef0123456789abcdef",
}


@pytest.mark.parametrize("secret", WEAK.values(), ids=WEAK)
def test_a_weak_secret_key_is_refused(secret: str) -> None:
    sentence = refusal(secret_key=secret)
    assert sentence.startswith("SECRET_KEY ")
    assert "Make one with:" in sentence
    assert not secret or secret not in sentence


@pytest.mark.parametrize("secret", WEAK.values(), ids=WEAK)
def test_a_weak_secret_for_hs256_is_refused(secret: str) -> None:
    sentence = refusal(jwt_algorithm="HS256", jwt_private_key="", jwt_secret=secret)
    assert sentence.startswith("JWT_SECRET ")


def published() -> set[str]:
    """Everything in the documentation that is long enough to be taken for a secret."""
    files = [ROOT / ".env.example", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    words: set[str] = set()
    for file in files:
        words |= set(re.findall(r"[^\s`'\"=|]{32,}", file.read_text("utf-8")))
    return words


def test_whatever_stands_in_the_documentation_is_refused() -> None:
    for word in published():
        assert refusal(secret_key=word).startswith("SECRET_KEY "), word


@pytest.mark.parametrize("file", [".env.example", "README.md", "docs/configuration.md"])
def test_a_value_that_comes_to_stand_in_the_documentation_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    secret = secrets.token_urlsafe(48)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(f"Set it:\n\n    SECRET_KEY={secret}\n")
    assert start(secret_key=secret)
    monkeypatch.setattr(config_values, "ROOT", tmp_path)
    assert "stands in documentation" in refusal(secret_key=secret)


def test_an_origin_without_tls_is_refused() -> None:
    assert refusal(base_url="http://id.example.org").startswith("BASE_URL ")


def test_a_missing_origin_is_refused() -> None:
    assert refusal(base_url="").startswith("BASE_URL ")


@pytest.mark.parametrize("cost", [4, 9])
def test_a_cheap_hash_is_refused(cost: int) -> None:
    assert refusal(bcrypt_cost=cost).startswith("BCRYPT_COST ")


def test_a_missing_signing_key_is_refused() -> None:
    assert refusal(jwt_private_key="").startswith("JWT_PRIVATE_KEY is missing")


def test_a_weak_token_of_a_service_is_refused() -> None:
    good = secrets.token_urlsafe(48)
    assert start(revocations_tokens=f"{good}, {secrets.token_urlsafe(48)}")
    sentence = refusal(revocations_tokens=f"{good},short")
    assert sentence.startswith("REVOCATIONS_TOKENS is shorter than 32 bytes")
    assert refusal(revocations_tokens="x" * 64).startswith("REVOCATIONS_TOKENS ")


def test_each_of_several_secrets_has_to_be_strong() -> None:
    good = secrets.token_urlsafe(48)
    hs256 = {"jwt_algorithm": "HS256", "jwt_private_key": ""}
    assert start(jwt_secret=f"{good},{secrets.token_urlsafe(48)}", **hs256)
    assert refusal(jwt_secret=f"{good},short", **hs256).startswith("JWT_SECRET is shorter")
    assert refusal(jwt_secret=",", **hs256).startswith("JWT_SECRET is missing")


def test_all_that_is_missing_is_said_at_once() -> None:
    said = refusal(secret_key="", jwt_private_key="", base_url="", bcrypt_cost=4)
    assert [line.split()[0] for line in said.splitlines()] == [
        "SECRET_KEY",
        "BASE_URL",
        "BCRYPT_COST",
        "JWT_PRIVATE_KEY",
    ]


# Through the commands that an operator types.

BAD: dict[str, dict[str, str]] = {
    "SECRET_KEY": {"SECRET_KEY": "hush" * 16},
    "BASE_URL": {"BASE_URL": "http://id.example.org"},
    "JWT_PRIVATE_KEY": {"JWT_PRIVATE_KEY": "no key at all"},
    "KEYS_DIR": {"JWT_PRIVATE_KEY": "", "KEYS_DIR": "/nowhere/at/all"},
    "DATABASE_URL": {"DATABASE_URL": "oracle://latchkey"},
}


def run(tmp_path: Path, command: list[str], **variables: str) -> tuple[int, str, float]:
    """Run a command in production; return its exit code, what it said, and its seconds."""
    defaults = {
        "APP_ENV": "production",
        "BASE_URL": "https://id.example.org",
        "BCRYPT_COST": "12",
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "PORT": str(free_port()),
    }
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment_of(**(defaults | variables)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


@pytest.mark.parametrize("name", BAD)
def test_each_is_told_by_its_name(name: str) -> None:
    values = {key.lower(): value for key, value in BAD[name].items()}
    with pytest.raises(SettingsError, match=rf"^{name}\b"):
        load_keys(start(**values))


# What is wrong with a setting is told while they are read, what is wrong with a key after that.
@pytest.mark.parametrize("name", ["SECRET_KEY", "KEYS_DIR"])
def test_the_server_says_why_it_does_not_start_and_stops(tmp_path: Path, name: str) -> None:
    code, said, seconds = run(tmp_path, ["gunicorn", "--workers=2"], **BAD[name])
    assert code != 0
    assert re.search(rf"^{name}\b", said, re.MULTILINE), said
    assert "Traceback" not in said
    assert said.count("Latchkey does not start") == 1
    assert BAD["SECRET_KEY"]["SECRET_KEY"] not in said, "it repeats the secret"
    assert seconds < 30


def test_gunicorn_without_our_configuration_stops_too(tmp_path: Path) -> None:
    """A worker that cannot start says so with the one exit code that ends all of gunicorn."""
    command = ["gunicorn", "--config=/dev/null", f"--bind=127.0.0.1:{free_port()}", "wsgi:app"]
    code, said, _ = run(tmp_path, command, **BAD["JWT_PRIVATE_KEY"])
    assert code != 0
    assert said.count("Latchkey does not start") == 1


def test_a_command_says_why_it_does_not_run(tmp_path: Path) -> None:
    code, said, _ = run(tmp_path, ["flask", "user", "list"], **BAD["SECRET_KEY"])
    assert code != 0
    assert re.search(r"^SECRET_KEY\b", said, re.MULTILINE), said
    assert BAD["SECRET_KEY"]["SECRET_KEY"] not in said
    assert "Traceback" not in said


def test_another_key_than_the_algorithm_needs_is_refused() -> None:
    settings = start(jwt_algorithm="ES256", jwt_private_key=private_key())
    with pytest.raises(SettingsError, match="JWT_PRIVATE_KEY is not a key for JWT_ALGORITHM=ES256"):
        load_keys(settings)
