"""The table that the benchmark prints and writes."""

import json
import platform
import re
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from benchmarks.subjects import Subject

RESULTS = Path(__file__).with_name("results.md")

Medians = dict[str, dict[str, float]]
Counts = dict[str, dict[str, list[str]]]

# Statements that begin or end a transaction.
_BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK", "START TRANSACTION")

COLUMNS = (
    ("check", "check"),
    ("me", "me"),
    ("refresh", "refresh"),
    ("refresh again", "repeated"),
    ("page", "sign-in page"),
)


def find(answer: str, key: str) -> str:
    """Return the text under a key of a JSON document, at whatever depth."""

    def search(node: object) -> str | None:
        if isinstance(node, dict):
            if isinstance(node.get(key), str):
                return str(node[key])
            return next((found for item in node.values() if (found := search(item))), None)
        return None

    return search(json.loads(answer)) or ""


def machine() -> str:
    """Say what this was measured on."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.M))
    load = Path("/proc/loadavg").read_text().split()[0]
    packages = ("flask", "sqlalchemy", "psycopg", "gunicorn", "bcrypt", "flask-jwt-extended")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    postgres = subprocess.run(
        ["psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc", "SHOW server_version"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"{cores} cores ({model[1] if model else platform.machine()}), load {load} at the end; "
        f"Python {platform.python_version()}, PostgreSQL {postgres or '?'} with fsync; {versions}."
    )


def table(
    subjects: Iterable[Subject], found: Medians, counts: Counts, rounds: int, seconds: float
) -> str:
    """Return everything that was measured as Markdown."""
    subjects = list(subjects)
    bound = found["bcrypt"]["bound"]
    bare = {
        workers: found.get(name, {}).get("json", 0.0)
        for workers, name in (("sync", "bare_flask"), ("gthread", "bare_flask-gthread"))
    }
    lines = [
        "# Results",
        "",
        f"Made by `make bench`: {rounds} rounds of {seconds:g} s each, all subjects in every "
        "round, medians; two workers, 8 connections, `REFRESH_GRACE=0` but for *repeated*, bcrypt "
        "at cost 12.",
        "",
        machine(),
        "",
        "Requests a second as a ratio to bare Flask with the same workers in the same run "
        f"({bare['sync']:.0f} a second with sync workers, {bare['gthread']:.0f} with gthread); "
        f"sign-in and sign-up as a ratio to what bcrypt alone does on both cores ({bound:.2f} a "
        "second).",
        "",
        "| | check | me | refresh | repeated | sign-in page | sign-in | sign-up |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for subject in subjects:
        mine = found[subject.name]
        base = bare["gthread" if subject.workers == "gthread" else "sync"]
        cells = [_ratio(mine.get(key), base) for key, _ in COLUMNS]
        cells += [_ratio(mine.get(key), bound) for key in ("sign_in", "sign_up")]
        lines.append(f"| {subject.title} | {' | '.join(cells)} |")
    lines += [
        "",
        "Statements on PostgreSQL (those that begin and end transactions, in brackets), processor "
        "time of a sign-in at bcrypt cost 4, 99th percentiles, start-up until the first answer, "
        "and memory of all processes after the load (PSS):",
        "",
        "| | me | refresh | sign-in | sign-up | sign-in, ms | me p99, ms | refresh p99, ms "
        "| start-up, s | MiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for subject in subjects:
        mine, counted = found[subject.name], counts.get(subject.name, {})
        cells = [_count(counted.get(key)) for key in ("me", "refresh", "sign_in", "sign_up")]
        cells.append(_number(mine.get("cheap sign_in cpu"), 2))
        cells += [_number(mine.get(key), 1) for key in ("me p99", "refresh p99")]
        cells += [_number(mine.get("start-up"), 2), _number(mine.get("memory"), 0)]
        lines.append(f"| {subject.title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Keep it beside the benchmark."""
    RESULTS.write_text(text)
    print(f"Written to {RESULTS}")


def _ratio(value: float | None, base: float) -> str:
    return "–" if value is None or not base else f"{value / base:.2f}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _count(statements: list[str] | None) -> str:
    if statements is None:
        return "–"
    brackets = [text for text in statements if text.upper().startswith(_BRACKETS)]
    inside = len(statements) - len(brackets)
    return f"{inside} (+{len(brackets)})" if brackets else str(inside)
