"""Load from wrk, which takes a fraction of the processor that a client in Python would."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Operation:
    """A request of a subject, with {access}, {refresh}, {email} where such a thing goes."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None = None


@dataclass(frozen=True)
class Load:
    """What a run of wrk sends beside the request itself: see load.lua."""

    tokens: list[dict[str, str]]
    chain: bool = False
    each: bool = False
    people: int = 0
    start: int = 0
    new: str = ""
    refresh_key: str = "refresh_token"


@dataclass(frozen=True)
class Measured:
    """What became of it; latencies in milliseconds."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Answers with a good status, a second."""
        return (self.requests - self.refused) / self.seconds


def need_wrk() -> None:
    """Leave with a sentence where there is no wrk."""
    if shutil.which("wrk") is None:
        sys.exit("The benchmark sends its requests with wrk: apt-get install wrk, then run again.")


def run(url: str, operation: Operation, load: Load, connections: int, seconds: float) -> Measured:
    """Send one kind of request for some time, each connection the next as soon as it can."""
    plan = {
        "method": operation.method,
        "path": operation.path,
        "headers": operation.headers,
        "body": operation.body,
        "tokens": load.tokens,
        "chain": load.chain,
        "each": load.each,
        "people": load.people,
        "from": load.start,
        "new": load.new or False,
        "threads": connections,
        "refresh_pattern": f'"{load.refresh_key}"%s*:%s*"([^"]+)"',
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(f"return {_lua(plan)}\n")
        file.flush()
        # A whole number of seconds is what wrk takes.
        command = ["wrk", f"-t{connections}", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += ["--timeout", "30s", "-s", str(SCRIPT), url, "--", file.name]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT"))
    sent, microseconds, refused, broken, p50, p99 = map(int, line.split()[1:])
    return Measured(sent, microseconds / 1e6, refused, broken, p50 / 1000, p99 / 1000)


def _lua(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{_lua(key)}] = {_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    # For what stands here, a text in JSON is one in Lua.
    return json.dumps(value)
