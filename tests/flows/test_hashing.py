"""Hashing in threads of its own, which let everything else go first."""

import os
import subprocess
import sys
import threading
from unittest import mock

import pytest

from config import ROOT
from webapp.services.passwords import Passwords

# A host may hash before gunicorn forks its workers: the child has none of the parent's threads.
FORKED = """
import os
from webapp.services.passwords import Passwords

passwords = Passwords(4)
kept = passwords.hash("correct horse 17")
child = os.fork()
if not child:
    os._exit(0 if passwords.verify("correct horse 17", kept).is_right else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, only processes have a priority")
def test_what_hashes_lets_others_go_first() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    mine = priority()
    assert Passwords(4)._threads.submit(priority).result() == min(mine + 10, 19)
    assert priority() == mine


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, only processes have a priority")
def test_a_server_that_is_nice_already_hashes_all_the_same() -> None:
    script = "import os; os.nice(15)\n" + FORKED
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 0


def test_where_priorities_are_forbidden_it_hashes_all_the_same() -> None:
    with mock.patch("os.setpriority", side_effect=PermissionError):
        assert Passwords(4).hash("correct horse 17")


def test_a_worker_hashes_that_was_forked_after_a_hash() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], cwd=ROOT, timeout=30, check=False)
    assert done.returncode == 0


def test_a_process_keeps_to_its_threads() -> None:
    passwords = Passwords(4, at_once=2)
    before = threading.active_count()
    for _ in range(10):
        assert passwords.verify("correct horse 17", None).is_right is False
    assert threading.active_count() <= before + 2
