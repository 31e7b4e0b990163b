"""Nothing in the house grows beyond what one takes in at a glance."""

import ast
from pathlib import Path

import pytest

from config import ROOT

OURS = sorted(
    file
    for pattern in ("*.py", "webapp/**/*.py", "tests/**/*.py", "migrations/**/*.py")
    for file in ROOT.glob(pattern)
)
MOST_LINES = 300
# A screen.
MOST_LINES_OF_A_FUNCTION = 60


def test_there_is_something_to_measure() -> None:
    assert len(OURS) > 50


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_long(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_function_is_longer_than_a_screen(file: Path) -> None:
    if "migrations/versions" in str(file):
        return  # A migration is a list, to be read once.
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {length} lines"
