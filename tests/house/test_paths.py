"""Pages say where they lead below whatever prefix: no path of ours is written without it."""

import re
from pathlib import Path

import pytest

from config import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
DOORS = sorted((ROOT / "webapp").rglob("*.py"))


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_template_begins_every_path_with_root(file: Path) -> None:
    found = re.findall(r"""(?:href|action|src|formaction)="(?:/|\{\{ '/)[^"]*""", file.read_text())
    assert found == []


@pytest.mark.parametrize("file", DOORS, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_door_sends_people_to_paths_that_are_our_own(file: Path) -> None:
    found = re.findall(r"(?:see_other|send_to|redirect)\(\s*f?\"/[^\"]*", file.read_text())
    assert found == []
