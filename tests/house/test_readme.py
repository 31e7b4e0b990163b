"""What the README has a stranger type works as it stands there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from config import ROOT
from tests.support import live_site, skip

README = (ROOT / "README.md").read_text()


def test_the_two_commands_stand_in_the_readme_and_in_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    for command in ("make run", "make test"):
        assert f"```sh\n{command}\n```" in README
        assert command in ci


def test_the_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_curl_session_goes_from_sign_up_to_sign_out(database_url: str, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        skip("curl is not installed")
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    session = next(block for block in blocks if "api=$site" in block)
    with live_site(database_url, tmp_path) as site:
        script = session.replace("http://localhost:5000", site.url)
        script += (
            '\ncurl -s -o /dev/null -w "%{http_code}" $api/me -H "Authorization: Bearer $access"'
        )
        script = f"set -eu\n{script}"
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=os.environ.copy(),
        )
    assert done.returncode == 0, done.stderr
    assert '"verification_required"' in done.stdout
    assert '"email_verified":true' in done.stdout
    assert done.stdout.endswith("401")
