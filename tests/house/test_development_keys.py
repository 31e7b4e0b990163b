"""Keys that development makes for itself: once, for its owner's eyes, the same in all processes."""

import multiprocessing
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from config import Settings, SettingsError
from webapp.factory import with_development_secret
from webapp.services.keys import load_keys, make_secret_file

ALGORITHMS = ["EdDSA", "ES256", "RS256", "HS256"]


def settings(algorithm: str = "EdDSA", **values: str) -> Settings:
    return Settings(_env_file=None, jwt_algorithm=algorithm, **values).completed()  # type: ignore[arg-type]


def kid(algorithm: str, instance: Path) -> str:
    return load_keys(settings(algorithm), instance).signing.kid


def secret(instance: Path) -> str:
    return with_development_secret(settings(), instance).secret_key.get_secret_value()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signing_key_survives_a_restart(tmp_path: Path, algorithm: str) -> None:
    assert kid(algorithm, tmp_path) == kid(algorithm, tmp_path)


def test_a_secret_key_survives_a_restart(tmp_path: Path) -> None:
    assert secret(tmp_path) == secret(tmp_path)
    assert len(secret(tmp_path)) >= 32


def test_each_installation_makes_keys_of_its_own(tmp_path: Path) -> None:
    assert secret(tmp_path / "one") != secret(tmp_path / "two")
    assert kid("EdDSA", tmp_path / "one") != kid("EdDSA", tmp_path / "two")


def test_keys_of_several_algorithms_live_side_by_side(tmp_path: Path) -> None:
    made = {algorithm: kid(algorithm, tmp_path) for algorithm in ALGORITHMS}
    assert len(set(made.values())) == len(ALGORITHMS)
    assert made == {algorithm: kid(algorithm, tmp_path) for algorithm in ALGORITHMS}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_only_their_owner_reads_them(tmp_path: Path, algorithm: str) -> None:
    kid(algorithm, tmp_path / "instance")
    secret(tmp_path / "instance")
    for path in (tmp_path / "instance").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_half_made_is_left_behind(tmp_path: Path) -> None:
    kid("EdDSA", tmp_path)
    secret(tmp_path)
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "eddsa-first.pem",
        "secret_key",
    }


def test_production_makes_no_key(tmp_path: Path) -> None:
    shared = tmp_path / "keys"
    shared.mkdir()
    values = {
        "app_env": "production",
        "base_url": "https://id.example.org",
        "secret_key": make_secret_file(tmp_path / "secret"),
        "keys_dir": str(shared),
    }
    with pytest.raises(SettingsError, match=r"KEYS_DIR .* holds no EdDSA key"):
        load_keys(settings(**values), tmp_path)
    assert not list(shared.iterdir())


def test_four_processes_that_start_at_once_agree_on_one(tmp_path: Path) -> None:
    """On one signing key and on one secret; the processes are started once for both."""
    context = multiprocessing.get_context("spawn")
    kinds: tuple[tuple[Callable[..., str], tuple[str, ...]], ...] = (kid, ("EdDSA",)), (secret, ())
    with context.Pool(4) as pool:
        pids = set(pool.map(_warm_up, range(16)))
        for attempt, (make, arguments) in product(range(20), kinds):
            instance = tmp_path / f"{make.__name__}-{attempt}"
            started = [pool.apply_async(make, (*arguments, instance)) for _ in range(4)]
            made = {each.get(60) for each in started}
            assert len(made) == 1
            assert made == {make(*arguments, instance)}
        pool.close()
        pool.join()
    assert len(pids) > 1


def _warm_up(_: int) -> int:
    """Import everything, so that the processes then start at the same moment."""
    return os.getpid()
