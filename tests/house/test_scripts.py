"""Our scripts put text on a page as text, and leave no names behind that markup could take."""

import re
from pathlib import Path

import pytest

from config import ROOT

SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
# Ways to make markup or code of text, and to keep things where an element's id can stand instead.
UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|\beval\b|\bFunction\("
    r"|\b(?:window|globalThis|self)\.\w+\s*=[^=]|\bdocument\.(?:all|forms)\b|\bvar\s"
)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_makes_no_markup_of_text(file: Path) -> None:
    assert not UNSAFE.findall(file.read_text())


def test_every_script_is_a_module_with_names_of_its_own() -> None:
    tags = [
        tag
        for file in (ROOT / "templates").rglob("*.html")
        for tag in re.findall(r"<script[^>]*>", file.read_text())
    ]
    assert tags
    assert all(' type="module" ' in tag and " src=" in tag for tag in tags), tags
