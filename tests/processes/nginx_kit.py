"""A real nginx, where there is one, with a configuration in a folder of the test's own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes.kit import wait_until
from tests.support import is_up, skip


@contextmanager
def nginx(prefix: Path, port: int) -> Iterator[None]:
    """Run nginx with the file nginx.conf in a folder, until it listens on a port."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        skip("nginx is not installed")
    # Its workers would else be nobody, who may not read a test's folder.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    log = prefix / "nginx.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(program), "-p", str(prefix), "-c", "nginx.conf", *user],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: is_up(port) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(20)
