"""What docs/nodes.md has an operator copy names things that exist, and is enough to start."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from apiflask import APIFlask
from prometheus_client.parser import text_string_to_metric_families

from config import ROOT
from tests.support import skip
from webapp.features.ops import flow

NODES = (ROOT / "docs" / "nodes.md").read_text()
UNITS = sorted((ROOT / "examples" / "systemd").iterdir())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        skip("systemd-analyze is not installed")
    for each in UNITS:
        text = each.read_text().replace("User=latchkey", "User=root")
        text = text.replace("/srv/latchkey/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / each.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "latchkey" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_the_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", NODES)
    assert len(targets) > 5
    for target in targets:
        assert (ROOT / "docs" / target).is_file(), target


def test_every_number_is_documented_and_every_documented_one_exists(app: APIFlask) -> None:
    with app.app_context():
        text = flow.measurements().decode()
    families = text_string_to_metric_families(text)
    told = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if not family.name.endswith("_created")
    }
    rows = "\n".join(re.findall(r"^\| (`latchkey_.*?) \|", NODES, re.M))
    assert told == set(re.findall(r"`(latchkey_\w+)`", rows))


def test_the_connections_that_a_worker_takes_are_documented(app: APIFlask) -> None:
    options = app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    most = options["pool_size"] + options["max_overflow"]
    assert f"| a worker | {most} |" in NODES
    assert f"up to {options['pool_size']} open" in NODES
