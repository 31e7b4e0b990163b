"""Tokens that a process remembers: found again, and never when they should not."""

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


@pytest.fixture(params=["signed here", "signed elsewhere"])
def issuer(request: pytest.FixtureRequest, app: APIFlask, make_app: MakeApp) -> APIFlask:
    """Where somebody signs in: in the process that is asked later on, or in another one."""
    return app if request.param == "signed here" else make_app()


def pair_of_somebody(app: APIFlask) -> dict[str, str]:
    create_user(app)
    return sign_in_by_bearer(app.test_client())


def token_of_somebody(app: APIFlask) -> str:
    return pair_of_somebody(app)["access_token"]


def refresh(app: APIFlask, token: str) -> tuple[int, str | None]:
    """Return what comes of showing a refresh token, and the code of a refusal."""
    reply = app.test_client().post("/api/v1/auth/refresh", json={"refresh_token": token})
    return reply.status_code, reply.get_json().get("code")


def status(app: APIFlask, token: str) -> tuple[int, str | None]:
    """Return what a proxy is told about a token, and the code of a refusal."""
    reply = app.test_client().get(CHECK, headers=bearer(token))
    return reply.status_code, (reply.get_json(silent=True) or {}).get("code")


def test_a_token_of_another_process_is_verified_once(
    app: APIFlask, make_app: MakeApp, verifications: mock.Mock
) -> None:
    pair = pair_of_somebody(make_app())
    assert [status(app, pair["access_token"]) for _ in range(5)] == [(204, None)] * 5
    assert verifications.call_count == 1
    with app.app_context():
        for _ in range(5):
            assert tokens.read_refresh(pair["refresh_token"]).generation == 1
    assert verifications.call_count == 2


def test_what_a_process_has_signed_it_does_not_verify(
    app: APIFlask, verifications: mock.Mock
) -> None:
    pair = pair_of_somebody(app)
    assert status(app, pair["access_token"]) == (204, None)
    assert refresh(app, pair["refresh_token"]) == (200, None)
    assert verifications.call_count == 0


def test_what_is_remembered_is_what_would_be_read(app: APIFlask, make_app: MakeApp) -> None:
    pair, other = pair_of_somebody(app), make_app()
    found = []
    for each in (app, other):
        with each.app_context():
            access = tokens.read_access(pair["access_token"])
            found.append((access, tokens.read_refresh(pair["refresh_token"])))
    assert found[0] == found[1]


def test_a_remembered_refresh_token_is_used_once(
    make_app: MakeApp, verifications: mock.Mock
) -> None:
    app = make_app(refresh_grace="0")
    token = pair_of_somebody(app)["refresh_token"]
    assert refresh(app, token) == (200, None)
    assert refresh(app, token) == (401, "refresh_reused")
    assert refresh(app, token) == (401, "token_revoked")
    assert verifications.call_count == 0


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "nbf", "type"])
def test_a_token_in_which_a_host_changes_our_claims_is_verified(
    app: APIFlask, name: str, verifications: mock.Mock
) -> None:
    issuer = parts_of(app).token_issuer
    own = vars(type(issuer))["claims_of"]
    with mock.patch.object(
        type(issuer), "claims_of", lambda *who: own(*who) | {name: "something else"}
    ):
        token = token_of_somebody(app)
    assert status(app, token) == (401, "token_invalid")
    assert verifications.call_count == 1


def test_a_remembered_token_expires(app: APIFlask, issuer: APIFlask) -> None:
    token = token_of_somebody(issuer)
    assert status(app, token) == (204, None)
    almost, over = timedelta(minutes=14, seconds=58), timedelta(minutes=15)
    start = clock.now()
    with time_machine.travel(start + almost):
        assert status(app, token) == (204, None)
    with time_machine.travel(start + over):
        assert status(app, token) == (401, "token_expired")


def test_a_remembered_token_of_an_ended_session_is_refused(app: APIFlask, issuer: APIFlask) -> None:
    token = token_of_somebody(issuer)
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


def test_a_directory_of_keys_that_is_read_again_forgets_no_token(
    make_app: MakeApp, tmp_path: Path, verifications: mock.Mock
) -> None:
    KeyDirectory(tmp_path, "EdDSA").add_first()
    app = make_app(keys_dir=str(tmp_path), jwt_private_key="")
    token = token_of_somebody(app)
    for _ in range(3):
        parts_of(app).keys._looked_at = float("-inf")
        assert status(app, token) == (204, None)
    assert verifications.call_count == 0


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_no_other_token_is_taken_for_a_remembered_one(
    app: APIFlask, issuer: APIFlask, kind: str
) -> None:
    token = pair_of_somebody(issuer)[f"{kind}_token"]
    read = tokens.read_access if kind == "access" else tokens.read_refresh
    flipped = [
        token[:position] + chr(ord(token[position]) ^ 1 << bit) + token[position + 1 :]
        for position in range(len(token))
        for bit in range(7)
    ]
    others = [token[:-1], token + "A", token + "=", token.upper(), f"{token}\n", f"\0{token}"]
    with app.app_context():
        assert read(token)
        for forged in flipped + others:
            with pytest.raises((TokenInvalid, TokenExpired)):
                read(forged)
        assert read(token)


def test_neither_kind_of_token_is_taken_for_the_other(app: APIFlask, issuer: APIFlask) -> None:
    pair = pair_of_somebody(issuer)
    for _ in range(2):
        assert status(app, pair["refresh_token"]) == (401, "token_invalid")
        assert refresh(app, pair["access_token"]) == (401, "token_invalid")
    assert status(app, pair["access_token"]) == (204, None)
    assert refresh(app, pair["refresh_token"]) == (200, None)


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
