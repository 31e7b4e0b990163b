"""The image has in it what Latchkey needs, and compose.yaml says what Latchkey understands."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from config import ROOT, Settings
from tests.processes.kit import wait_until
from tests.support import environment_of, free_port, is_up

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what the Dockerfile copies into /app, and nothing else."""
    app = tmp_path / "app"
    app.mkdir()
    for words in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE.partition("WORKDIR")[2], re.M):
        *sources, target = words.split()
        for source in sources:
            found = sorted(ROOT.glob(source))
            assert found, f"COPY {source} finds nothing"
            for path in found:
                if path.is_dir():
                    shutil.copytree(path, app / target)
                else:
                    shutil.copy(path, app / target)
    return app


@pytest.fixture
def started(image: Path, tmp_path: Path) -> Iterator[str]:
    """The address of Latchkey in production, started there as the image does."""
    (tmp_path / "keys").mkdir()
    first = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", f"{tmp_path}/keys/first.pem"]
    assert " ".join(first[:4]) in COMPOSE
    subprocess.run(first, check=True, capture_output=True)
    [command] = re.findall(r'^CMD \["gunicorn", (.*)\]$', DOCKERFILE, re.M)
    arguments = re.findall(r'"([^"]+)"', command)
    port = free_port()
    environment = environment_of(
        APP_ENV="production",
        BASE_URL="https://id.example.org",
        BIND=f"127.0.0.1:{port}",
        WEB_CONCURRENCY="1",
        JWT_PRIVATE_KEY="",
        KEYS_DIR=f"{tmp_path}/keys",
        DATABASE_URL=f"sqlite:///{tmp_path}/latchkey.db",
        BCRYPT_COST="12",
        PYTHONDONTWRITEBYTECODE="1",
    )
    environment.pop("PYTHONPATH", None)
    flask = [sys.executable, "-m", "flask", "db", "upgrade"]
    subprocess.run(flask, cwd=image, env=environment, check=True, capture_output=True, timeout=60)
    for path in image.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *arguments],
            cwd=image,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: is_up(port) or process.poll() is not None, 30)
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(40)


def test_it_starts_from_what_the_image_has(started: str, image: Path) -> None:
    for path in ("/healthz", "/readyz", "/login", "/static/latchkey.css", "/api/v1/docs"):
        assert requests.get(started + path, timeout=30).status_code == 200, path
    assert requests.get(started + "/.well-known/jwks.json", timeout=30).json()["keys"]
    assert not (image / "instance").exists()


def test_compose_sets_nothing_that_latchkey_does_not_know() -> None:
    common = COMPOSE.partition("\nservices:")[0]
    named = re.findall(r"^    ([A-Z_]+):", common, re.M)
    assert {"BASE_URL", "DATABASE_URL", "KEYS_DIR", "TRUSTED_PROXIES"} <= set(named)
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_no_secret_stands_in_either() -> None:
    assert re.findall(r"POSTGRES_PASSWORD: (.*)", COMPOSE) == ["${POSTGRES_PASSWORD}"]
    assert not re.search(r"(SECRET_KEY|PASSWORD|TOKEN)[=:] *[\w\"']", DOCKERFILE)
    assert ".env" in (ROOT / ".dockerignore").read_text().splitlines()
