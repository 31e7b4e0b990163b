"""docs/asvs.md answers every requirement that applies, and names tests that exist."""

import ast
import re
from functools import cache

import pytest

from config import ROOT

PAGE = ROOT / "docs" / "asvs.md"
# Ids and levels of the requirements of ASVS 5.0.0 that apply to an app like this.
APPLICABLE = [
    tuple(line.split("\t"))
    for line in (ROOT / "tests" / "house" / "asvs-5.0.tsv").read_text().splitlines()
]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if re.match(r"\| \d", line)
]


@cache
def names_of(path: str) -> frozenset[str]:
    """Return the names of the tests in a file, without running anything of it."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@cache
def headings_of(page: str) -> frozenset[str]:
    """Return what links can lead to in a page."""
    titles = re.findall(r"^#+ (.+)$", (ROOT / "docs" / page).read_text(), re.M)
    return frozenset(re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles)


def test_every_requirement_stands_there_once_with_its_level() -> None:
    assert len(APPLICABLE) == 117
    assert [(row[0], row[1]) for row in ROWS] == APPLICABLE


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_is_shown_by_tests_or_says_why_not(row: list[str]) -> None:
    _, _, asks, how, shown_by = row
    assert asks
    assert how
    named = re.findall(r"`([^`]+)`", shown_by)
    for path, _, name in (each.partition("::") for each in named):
        assert name.startswith("test_"), name
        assert name in names_of(path), f"{path}::{name}"
    reasons = re.findall(r"\*\*not met\*\*(?::| \w+ )|by design of (?:the|its) \w+.*: ", how)
    assert named or reasons
    assert "not met" not in how or reasons, "not met, and no reason"


def test_the_links_lead_to_headings_that_exist() -> None:
    links = re.findall(r"\]\((\w+\.md)#([\w-]+)\)", PAGE.read_text())
    assert links
    for page, heading in links:
        assert heading in headings_of(page), f"{page}#{heading}"


@pytest.mark.parametrize("page", ["docs/security.md", "README.md"])
def test_it_is_found_from(page: str) -> None:
    assert "asvs.md)" in (ROOT / page).read_text()
