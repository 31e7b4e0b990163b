"""Every package is pinned, and so is everything that it brings along."""

import re
from importlib.metadata import PackageNotFoundError, requires
from typing import cast

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from config import ROOT


def pinned(name: str) -> dict[str, str]:
    """Return the packages of a requirements file and the versions that it pins."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("-r "):
            found |= pinned(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            package, _, version = line.partition("==")
            assert version, f"{line} in {name} is not pinned"
            found[normalize(package.partition("[")[0])] = version
    return found


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_a_package_needs_is_pinned_too(name: str) -> None:
    packages = pinned(name)
    environment = cast(dict[str, str], default_environment()) | {"extra": ""}
    for package in packages:
        try:
            needs = requires(package) or []
        except PackageNotFoundError:
            pytest.fail(f"{package} is not installed: run make check again")
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate(environment):
                assert normalize(need.name) in packages, f"{package} needs {need.name}"
