"""What a check of the settings finds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: right, worth knowing, or unsafe or not going to work."""

    level: Literal["ok", "note", "WRONG"]
    sentence: str


def right(sentence: str) -> Finding:
    """Say what is as it should be."""
    return Finding("ok", sentence)


def note(sentence: str) -> Finding:
    """Say what somebody should know who did not choose it on purpose."""
    return Finding("note", sentence)


def wrong(sentence: str) -> Finding:
    """Say what is unsafe or will not work, and what to do about it."""
    return Finding("WRONG", sentence)
