"""Fixtures of the door tests."""

from collections.abc import Callable
from typing import Any

import bcrypt
import pytest


class Hashes:
    """How many bcrypt hashes were computed; the hashing itself goes on as ever."""

    def __init__(self) -> None:
        self.count = 0

    def counting(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self.count += 1
            return work(*args)

        return counted


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Hashes:
    """Count what bcrypt is asked for from here on."""
    counter = Hashes()
    monkeypatch.setattr(bcrypt, "hashpw", counter.counting(bcrypt.hashpw))
    monkeypatch.setattr(bcrypt, "checkpw", counter.counting(bcrypt.checkpw))
    return counter
