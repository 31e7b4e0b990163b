"""Tokens that a process remembers to have verified: found again, and never when they should not."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
import time_machine
from apiflask import APIFlask
from flask_jwt_extended import decode_token

from tests.conftest import MakeApp
from tests.doors.probes import bearer, create_user, sign_in_by_bearer
from tests.support import parts_of
from webapp import clock
from webapp.errors import TokenExpired, TokenInvalid
from webapp.services import tokens
from webapp.services.claims import AccessClaims
from webapp.services.key_directory import KeyDirectory
from webapp.services.verified_tokens import MOST, Verified, VerifiedTokens

CHECK = "/api/v1/auth/check"


@pytest.fixture
def verifications() -> Iterator[mock.Mock]:
    """What asks Flask-JWT-Extended to verify, which goes on doing so."""
    with mock.patch("webapp.services.tokens.decode_token", wraps=decode_token) as spy:
        yield spy


def token_of_somebody(app: APIFlask) -> str:
    create_user(app)
    token: str = sign_in_by_bearer(app.test_client())["access_token"]
    return token


def status(app: APIFlask, token: str) -> tuple[int, str | None]:
    """Return what a proxy is told about a token, and the code of a refusal."""
    reply = app.test_client().get(CHECK, headers=bearer(token))
    return reply.status_code, (reply.get_json(silent=True) or {}).get("code")


def test_a_token_is_verified_once(app: APIFlask, verifications: mock.Mock) -> None:
    token = token_of_somebody(app)
    assert [status(app, token) for _ in range(5)] == [(204, None)] * 5
    assert verifications.call_count == 1


def test_a_remembered_token_expires(app: APIFlask) -> None:
    token = token_of_somebody(app)
    assert status(app, token) == (204, None)
    almost, over = timedelta(minutes=14, seconds=58), timedelta(minutes=15)
    start = clock.now()
    with time_machine.travel(start + almost):
        assert status(app, token) == (204, None)
    with time_machine.travel(start + over):
        assert status(app, token) == (401, "token_expired")


def test_a_remembered_token_of_an_ended_session_is_refused(app: APIFlask) -> None:
    token = token_of_somebody(app)
    assert status(app, token) == (204, None)
    out = app.test_client().post("/api/v1/auth/logout", headers=bearer(token))
    assert out.status_code == 204
    assert status(app, token) == (401, "token_revoked")


def test_another_process_refuses_it_within_a_second(make_app: MakeApp) -> None:
    here, there = make_app(), make_app()
    token = token_of_somebody(here)
    assert status(there, token) == (204, None)
    here.test_client().post("/api/v1/auth/logout", headers=bearer(token))
    # What the passing of its second does.
    parts_of(there).revocations.expect_change()
    assert status(there, token) == (401, "token_revoked")


def test_a_remembered_token_goes_with_its_key(make_app: MakeApp, tmp_path: Path) -> None:
    directory = KeyDirectory(tmp_path, "EdDSA")
    directory.add_first()
    app = make_app(keys_dir=str(tmp_path), jwt_private_key="")
    token = token_of_somebody(app)
    assert status(app, token) == (204, None)
    (old,) = tmp_path.glob("*.pem")
    other = KeyDirectory(tmp_path / "other", "EdDSA")
    other.add_first()
    (new,) = (tmp_path / "other").glob("*.pem")
    old.unlink()
    new.rename(tmp_path / f"another-{new.name}")
    # What the passing of two seconds does.
    parts_of(app).keys._looked_at = float("-inf")
    assert status(app, token) == (401, "token_invalid")


def test_a_key_that_is_read_again_verifies_again(
    make_app: MakeApp, tmp_path: Path, verifications: mock.Mock
) -> None:
    KeyDirectory(tmp_path, "EdDSA").add_first()
    app = make_app(keys_dir=str(tmp_path), jwt_private_key="")
    token = token_of_somebody(app)
    for _ in range(3):
        parts_of(app).keys._looked_at = float("-inf")
        assert status(app, token) == (204, None)
    assert verifications.call_count >= 1


def test_no_other_token_is_taken_for_a_remembered_one(app: APIFlask) -> None:
    token = token_of_somebody(app)
    assert status(app, token) == (204, None)
    flipped = [
        token[:position] + chr(ord(token[position]) ^ 1 << bit) + token[position + 1 :]
        for position in range(len(token))
        for bit in range(7)
    ]
    others = [token[:-1], token + "A", token + "=", token.upper(), f"{token}\n", f"\0{token}"]
    with app.app_context():
        for forged in flipped + others:
            with pytest.raises((TokenInvalid, TokenExpired)):
                tokens.read_access(forged)
        assert tokens.read_access(token)


def test_a_refresh_token_is_never_remembered(app: APIFlask) -> None:
    create_user(app)
    reply = sign_in_by_bearer(app.test_client())
    for _ in range(2):
        assert status(app, reply["refresh_token"]) == (401, "token_invalid")


def test_an_expired_token_that_is_read_all_the_same_is_not_remembered(app: APIFlask) -> None:
    token = token_of_somebody(app)
    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        with app.app_context():
            assert tokens.read_access(token, allow_expired=True).user_id
        assert status(app, token) == (401, "token_expired")


def verified() -> Verified:
    claims = AccessClaims("u", "s", None, 0, ("pwd",), ("user",))
    return Verified(claims, clock.now().timestamp() + 60, mock.Mock())


def test_it_holds_so_many_and_forgets_the_oldest() -> None:
    memory = VerifiedTokens(most=3)
    for number in range(10):
        memory.remember(f"token {number}", verified())
        assert len(memory) == min(number + 1, 3)
    assert [memory.find(f"token {number}") is not None for number in range(10)] == (
        [False] * 7 + [True] * 3
    )
    assert MOST <= 10_000


def test_one_that_is_remembered_again_takes_no_second_place() -> None:
    memory = VerifiedTokens(most=2)
    for _ in range(5):
        memory.remember("the same", verified())
    assert len(memory) == 1
    memory.remember("another", verified())
    memory.remember("another", verified())
    assert memory.find("the same") is not None


def test_threads_keep_it_bounded() -> None:
    memory = VerifiedTokens(most=50)

    def remember(first: int) -> None:
        for number in range(first, first + 400):
            memory.remember(str(number), verified())
            memory.find(str(number - 10))

    threads = [threading.Thread(target=remember, args=(start,)) for start in range(0, 3200, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(memory) == 50
