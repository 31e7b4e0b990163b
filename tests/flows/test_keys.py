"""Keys in a directory: who signs, what verifies, and what if files are not as they were."""

import logging
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from config import Settings, SettingsError
from tests.support import private_key
from webapp import clock
from webapp.services.key_directory import KeyDirectory
from webapp.services.keys import KeyRing, load_keys
from webapp.services.signing_keys import make_key

ALGORITHMS = ["EdDSA", "ES256", "RS256", "HS256"]


@pytest.fixture
def time_flows(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """Clocks that a test moves by hand: that of the day, and that of the looks."""
    by_hand = SimpleNamespace(monotonic=lambda: clock.now().timestamp())
    with time_machine.travel(clock.now().replace(microsecond=0), tick=False) as traveller:
        monkeypatch.setattr("webapp.services.keys.time", by_hand)
        yield traveller


def settings(path: Path, algorithm: str = "EdDSA", **values: Any) -> Settings:
    values = {"keys_dir": str(path), "jwt_algorithm": algorithm} | values
    return Settings(_env_file=None, **values).completed()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory with one key in it."""
    KeyDirectory(tmp_path / "keys", "EdDSA").add_first()
    return tmp_path / "keys"


def ring_of(path: Path, algorithm: str = "EdDSA") -> KeyRing:
    return load_keys(settings(path, algorithm))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_new_key_is_published_before_it_signs(
    tmp_path: Path, algorithm: str, time_flows: time_machine.Traveller
) -> None:
    ring = ring_of(tmp_path / "keys", algorithm)
    first = ring.signing
    new = KeyDirectory(tmp_path / "keys", algorithm).add()
    time_flows.shift(2)
    assert ring.signing.kid == first.kid
    found = ring.find(new.kid)
    assert found
    assert found.verifies
    published = [key["kid"] for key in ring.jwks()["keys"]]
    assert published == ([] if algorithm == "HS256" else [first.kid, new.kid])
    time_flows.shift(5)
    assert ring.signing.kid == new.kid
    assert ring.find(first.kid)


def test_within_ten_seconds_every_worker_signs_with_it(
    path: Path, time_flows: time_machine.Traveller
) -> None:
    rings = [ring_of(path) for _ in range(3)]
    new = KeyDirectory(path, "EdDSA").add()
    time_flows.shift(10)
    assert {ring.signing.kid for ring in rings} == {new.kid}


def test_a_worker_that_has_not_looked_yet_looks_when_a_token_names_an_unknown_key(
    path: Path, time_flows: time_machine.Traveller
) -> None:
    ring = ring_of(path)
    time_flows.shift(1)
    new = KeyDirectory(path, "EdDSA").add()
    assert ring.find(new.kid)


def test_made_up_kids_cost_a_listing_twice_a_second(
    path: Path, time_flows: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = ring_of(path)
    looks: list[Path] = []
    listing = os.scandir

    def count(folder: Path) -> Any:
        looks.append(folder)
        return listing(folder)

    monkeypatch.setattr(os, "scandir", count)
    for number in range(1000):
        time_flows.shift(0.01)
        assert ring.find(f"made-up-{number}") is None
    assert 15 <= len(looks) <= 21
    looks.clear()
    for _ in range(1000):
        time_flows.shift(0.01)
        assert ring.signing
    assert 4 <= len(looks) <= 6


def test_two_nodes_that_rotate_at_once_agree_on_the_newest(
    path: Path, time_flows: time_machine.Traveller
) -> None:
    rings = [ring_of(path) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: KeyDirectory(path, "EdDSA").add(), range(8)))
    time_flows.shift(10)
    assert len({ring.signing.kid for ring in rings}) == 1
    assert rings[0].signing.kid in {key.kid for key in made}
    for ring in rings:
        assert all(ring.find(key.kid) for key in made)


def test_a_file_that_is_copied_keeps_its_turn(
    path: Path, tmp_path: Path, time_flows: time_machine.Traveller
) -> None:
    """A backup brought back, or a directory copied to another node, has new times on its files."""
    new = KeyDirectory(path, "EdDSA").add()
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in sorted(path.iterdir(), reverse=True):
        shutil.copyfile(file, copy / file.name)
    time_flows.shift(3600)
    assert ring_of(copy).signing.kid == new.kid


def test_a_key_of_the_operators_own_signs_when_it_is_the_newest(
    path: Path, time_flows: time_machine.Traveller
) -> None:
    ring = ring_of(path)
    (path / "mine.pem").write_text(private_key())
    time_flows.shift(60)
    assert ring.signing.source == "mine.pem"


STRANGERS: dict[str, bytes] = {
    "half.pem": b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw",
    "empty.pem": b"",
    "binary.pem": b"\xff\xfe\x00" * 50,
    "other.pem": make_key("ES256").encode(),
    "huge.pem": b"x" * 100_000,
    "notes.txt": b"not for you",
    ".hidden.pem": b"-----",
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_that_is_no_key_disturbs_nothing(
    path: Path, name: str, time_flows: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    ring = ring_of(path)
    first = ring.signing.kid
    (path / name).write_bytes(STRANGERS[name])
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            time_flows.shift(10)
            assert ring.signing.kid == first
    assert ring_of(path).signing.kid == first
    is_meant = name.endswith(".pem") and not name.startswith(".")
    said = [r.message for r in caplog.records if name in r.message]
    assert len(said) == (2 if is_meant else 0), "once by each ring, not at each look"


def test_things_that_are_no_files_disturb_nothing(
    path: Path, time_flows: time_machine.Traveller
) -> None:
    ring = ring_of(path)
    (path / "folder.pem").mkdir()
    os.mkfifo(path / "pipe.pem")
    (path / "circle.pem").symlink_to("circle.pem")
    time_flows.shift(10)
    assert ring.signing.source == "eddsa-first.pem"


def test_a_key_that_is_being_written_again_stays_what_it_was(
    path: Path, time_flows: time_machine.Traveller
) -> None:
    ring = ring_of(path)
    first = ring.signing
    whole = (path / "eddsa-first.pem").read_text()
    KeyDirectory(path, "EdDSA").add()
    time_flows.shift(10)
    assert ring.signing.kid != first.kid
    (path / "eddsa-first.pem").write_text(whole[:40])
    time_flows.shift(10)
    assert ring.find(first.kid)
    (path / "eddsa-first.pem").write_text(whole)
    time_flows.shift(10)
    assert ring.find(first.kid)


@pytest.mark.parametrize("how", ["gone", "empty", "a file"])
def test_a_directory_that_vanishes_leaves_the_keys_in_memory(
    path: Path, how: str, time_flows: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    ring = ring_of(path)
    first = ring.signing.kid
    path.rename(path.with_name("elsewhere"))
    if how == "empty":
        path.mkdir()
    elif how == "a file":
        path.write_text("")
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            time_flows.shift(10)
            assert ring.signing.kid == first
            assert ring.find(first)
    assert len(caplog.records) == 1
    if how != "gone":
        path.rmdir() if how == "empty" else path.unlink()
    path.with_name("elsewhere").rename(path)
    new = KeyDirectory(path, "EdDSA").add()
    time_flows.shift(10)
    assert ring.signing.kid == new.kid


def test_a_directory_that_hangs_takes_one_thread_and_not_the_site(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = ring_of(path)
    first = ring.signing.kid
    is_back, is_asked = threading.Event(), threading.Event()
    listing = os.scandir

    def hang(folder: Path) -> Any:
        is_asked.set()
        is_back.wait(30)
        return listing(folder)

    monkeypatch.setattr(os, "scandir", hang)
    monkeypatch.setattr("webapp.services.keys.LOOK_EVERY", 0.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: ring.signing.kid)
        assert is_asked.wait(10)
        assert [ring.signing.kid for _ in range(100)] == [first] * 100
        assert ring.find(first)
        is_back.set()
        assert waiting.result(10) == first


def test_a_weak_secret_in_a_file_is_not_used(path: Path) -> None:
    (path / "mine.secret").write_text("short")
    production = {
        "app_env": "production",
        "base_url": "https://id.example.org",
        "secret_key": make_key("HS256"),
    }
    with pytest.raises(SettingsError, match="holds no HS256 key"):
        load_keys(settings(path, "HS256", **production))
    (path / "mine.secret").write_text(make_key("HS256") + "\n")
    assert load_keys(settings(path, "HS256", **production)).signing.source == "mine.secret"


def test_of_several_keys_in_the_environment_the_first_signs_and_all_verify(tmp_path: Path) -> None:
    one, other = private_key(), private_key()
    rings = [
        load_keys(settings(tmp_path, jwt_private_key=value))
        for value in (one, other, other + one, (one + other).replace("\n", "\\n"))
    ]
    kids = [ring.signing.kid for ring in rings]
    assert kids == [kids[0], kids[1], kids[1], kids[0]]
    assert rings[2].find(kids[0])
    assert len(rings[3].jwks()["keys"]) == 2


def test_of_several_secrets_the_first_signs_and_all_verify(tmp_path: Path) -> None:
    one, other = make_key("HS256"), make_key("HS256")
    alone = load_keys(settings(tmp_path, "HS256", jwt_secret=one))
    both = load_keys(settings(tmp_path, "HS256", jwt_secret=f"{other}, {one}"))
    assert both.signing.kid != alone.signing.kid
    assert both.find(alone.signing.kid)
    assert both.jwks() == {"keys": []}


def test_the_key_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    pem = private_key()
    (tmp_path / "key").write_text(pem)
    ring = load_keys(settings(tmp_path, jwt_private_key=str(tmp_path / "key")))
    assert ring.signing.kid == load_keys(settings(tmp_path, jwt_private_key=pem)).signing.kid
    with pytest.raises(SettingsError, match="names a file that cannot be read"):
        load_keys(settings(tmp_path, jwt_private_key=str(tmp_path / "none")))
