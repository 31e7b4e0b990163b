"""SIGHUP: the master goes on; its new workers have the code and the settings as they are now."""

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from config import ROOT
from tests.support import LiveSite, live_site

PARTS = ("webapp", "templates", "static", "migrations")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the project that a test may change."""
    root = tmp_path / "copy"
    root.mkdir()
    for name in PARTS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("*.py"):
        shutil.copy(file, root)
    (root / ".env").write_text("APP_NAME=Before\n")
    return root


@pytest.fixture
def site(copy: Path, database_url: str, tmp_path: Path) -> Iterator[LiveSite]:
    with live_site(database_url, tmp_path, workers=2, ROOT=str(copy)) as site:
        yield site


def described(site: LiveSite) -> tuple[str, str]:
    """Return the name and the version of the site, the one a setting, the other code."""
    info = requests.get(site.url + "/api/v1/openapi.json", timeout=30).json()["info"]
    return info["title"], info["version"]


def test_new_workers_have_the_code_and_the_settings_of_now(site: LiveSite, copy: Path) -> None:
    before = described(site)
    assert before[0] == "Before"

    (copy / ".env").write_text("APP_NAME=After\n")
    factory = copy / "webapp" / "factory.py"
    factory.write_text(factory.read_text().replace(f'"{before[1]}"', '"9.9.9"'))
    site.process.send_signal(signal.SIGHUP)

    wait_for(site, ("After", "9.9.9"))
    assert site.process.poll() is None


def wait_for(site: LiveSite, wanted: tuple[str, str]) -> None:
    """Wait until everybody answers so: former workers may answer until the last of them is gone."""
    give_up_at = time.monotonic() + 30
    in_a_row = 0
    while in_a_row < 20:
        in_a_row = in_a_row + 1 if described(site) == wanted else 0
        assert time.monotonic() < give_up_at, site.log.read_text()
        time.sleep(0.05)
