"""What is measured: Latchkey in its variants, and each of its peers."""

import os
import secrets
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = HERE / "peers"
ENVIRONMENTS = HERE / ".environments"
PASSWORD = "correct horse 17"

_SECRET = secrets.token_urlsafe(48)
_KEY = (
    ed25519.Ed25519PrivateKey.generate()
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)


@dataclass(frozen=True)
class Subject:
    """An application that can be served, filled with people and asked."""

    name: str
    title: str
    folder: Path
    environment: Path
    declared: dict[str, object] = field(repr=False)
    database: str = "postgresql"
    workers: str = "sync"
    sessions: str = "sql"

    @property
    def is_latchkey(self) -> bool:
        """Whether it is ours."""
        return self.folder == ROOT

    @property
    def serve(self) -> list[str]:
        """How to start it, with {workers} and {port} still to be filled in."""
        command = str(self.declared["serve"]).split()
        if command[0] != "gunicorn":
            return command
        threads = "32" if self.workers == "gthread" else "1"
        return [*command, "--worker-class", self.workers, "--threads", threads]

    def variables(self, database_url: str, cost: int, grace: str = "0") -> dict[str, str]:
        """Return the environment to run it in."""
        inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{self.environment / 'bin'}:{os.environ['PATH']}"
        values = inherited | {"PATH": path, "BCRYPT_COST": str(cost), "SECRET_KEY": _SECRET}
        if not self.is_latchkey:
            return values | {"DATABASE_URL": database_url}
        return values | {
            "DATABASE_URL": database_url.replace("postgresql:", "postgresql+psycopg:"),
            # Production takes no cost below 10.
            "APP_ENV": "production" if cost >= 10 else "development",
            "BASE_URL": "https://id.example.org",
            "JWT_PRIVATE_KEY": _KEY,
            "EMAIL_VERIFICATION": "off",
            "RATE_LIMITS": "off",
            "REFRESH_GRACE": grace,
            "SESSION_STORE": self.sessions,
            "REDIS_URL": "redis://127.0.0.1:6379/9" if self.sessions == "redis" else "",
        }

    def fill_command(self) -> list[str]:
        """Return what makes its tables and puts people in."""
        fill = HERE / "fill.py" if self.is_latchkey else self.folder / "fill.py"
        return [str(self.environment / "bin" / "python"), str(fill)]


def latchkey(database: str = "postgresql", workers: str = "sync", sessions: str = "sql") -> Subject:
    """Return Latchkey in one of its variants."""
    declared = tomllib.loads((HERE / "latchkey.toml").read_text())
    words = [{"postgresql": "PostgreSQL", "sqlite": "SQLite"}[database], workers]
    if sessions == "redis":
        words.insert(1, "Redis sessions")
    title = f"Latchkey ({', '.join(words)})"
    name = f"latchkey-{database}-{sessions}-{workers}"
    environment = Path(sys.prefix)
    return Subject(name, title, ROOT, environment, declared, database, workers, sessions)


def peer(name: str, workers: str = "sync") -> Subject:
    """Return a peer, in an environment of its own that is made when it is missing."""
    folder = PEERS / name
    declared = tomllib.loads((folder / "peer.toml").read_text())
    title = str(declared["title"])
    if str(declared["serve"]).startswith("gunicorn"):
        title += f", {workers}"
    key = name if workers == "sync" else f"{name}-{workers}"
    return Subject(key, title, folder, ENVIRONMENTS / name, declared, "postgresql", workers)


def make_environment(subject: Subject) -> None:
    """Install what a peer needs, unless that was done for these very requirements."""
    wanted = subject.folder / "requirements.txt"
    stamp = subject.environment / "requirements.txt"
    if subject.is_latchkey or (stamp.exists() and stamp.read_text() == wanted.read_text()):
        return
    print(f"Installing {subject.title} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", subject.environment], check=True)
    pip = [subject.environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", "-r", wanted], check=True)
    stamp.write_text(wanted.read_text())
