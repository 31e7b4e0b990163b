"""docs/tutorial.md, followed to the letter in a copy of the house: every block is run."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import ROOT
from tests.support import environment_of

COPIED = ("webapp", "templates", "static", "migrations", "tests", "pyproject.toml", "wsgi.py")
TUTORIAL = ROOT / "docs" / "tutorial.md"


@dataclass(frozen=True)
class Block:
    """A block of the tutorial: a file to write, lines to add to one, or commands to run."""

    path: str
    kind: str
    text: str


def blocks() -> list[Block]:
    """Return the blocks in their order; a path stands on a line of its own before its block."""
    found = re.findall(
        r"(?:^`([\w./]+)`\n\n)?^```(\w+)\n(.*?)^```$", TUTORIAL.read_text(), re.M | re.S
    )
    return [Block(*groups) for groups in found]


def add_lines(text: str, diff: str) -> str:
    """Add the lines that begin with + behind the last one that does not, wherever that stands."""
    lines, place = text.splitlines(), -1
    for line in diff.splitlines():
        if line.startswith("+"):
            place += 1
            lines.insert(place, line[1:])
        else:
            assert line[1:] in lines, f"there is no line {line[1:]!r}"
            place = lines.index(line[1:])
    return "\n".join(lines) + "\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project, to build in."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    for source in ROOT.glob("config*.py"):
        shutil.copy(source, tmp_path / source.name)
    yield tmp_path
    shutil.rmtree(tmp_path)


def run(house: Path, command: str) -> None:
    """Run one command as a person in the environment would."""
    program, *arguments = shlex.split(command)
    module = [] if program == "python" else ["-m", program]
    done = subprocess.run(
        [sys.executable, *module, *arguments],
        cwd=house,
        env=environment_of(DATABASE_URL=f"sqlite:///{house / 'tutorial.db'}", PYTHONPATH="."),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_the_tutorial_works_as_it_stands(house: Path) -> None:
    run(house, "flask db upgrade")
    for block in blocks():
        file = house / block.path
        if block.kind == "sh":
            for command in block.text.splitlines():
                run(house, command)
        elif block.kind == "diff":
            file.write_text(add_lines(file.read_text(), block.text))
        else:
            assert not file.exists(), f"{block.path} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
    migrations = list((house / "migrations" / "versions").glob("*_books.py"))
    assert len(migrations) == 1
    linter = "importlinter.cli"
    code = f"from {linter} import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    run(house, f"python -c {shlex.quote(code)}")
    run(house, "ruff check webapp tests/doors/test_books.py")


def test_the_tutorial_has_every_kind_of_block() -> None:
    kinds = [block.kind for block in blocks()]
    assert {"python", "diff", "sh", "html"} == set(kinds)
    assert all(block.path for block in blocks() if block.kind != "sh")
    assert kinds.count("python") >= 8
