"""The refresh rule: what becomes of a refresh token that somebody presents.

A session is one token family (RFC 9700, section 4.14.2). Each refresh token carries the
generation that it stands for, and the family remembers just two of them: the current one and
its parent, the one whose presentation made it. That is enough to tell an honest client, whose
reply was lost or whose other tab was quicker, from a token that two people hold.

Everything here is pure, so that every order of events can be tried; the stores differ only in
how they compare and swap what :func:`decide` asks for.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What the rule says about one presentation."""

    ROTATED = "rotated"
    REPEATED = "repeated"
    RECOVERED = "recovered"
    FAST_FORWARDED = "fast_forwarded"
    REUSED = "reused"


class Family(Protocol):
    """What the rule needs to know of a session."""

    @property
    def generation(self) -> int:
        """The generation handed out last."""

    @property
    def parent(self) -> int | None:
        """The generation whose presentation made the current one; None in a new session."""

    @property
    def rotated_at(self) -> datetime | None:
        """When the current generation was made, aware; None in a new session."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision, and the two generations that the family stands at once it is carried out."""

    kind: Kind
    generation: int
    parent: int | None

    @property
    def is_refused(self) -> bool:
        """Whether the family has to be revoked."""
        return self.kind is Kind.REUSED

    @property
    def is_written(self) -> bool:
        """Whether the family moves on, and the store has to compare and swap."""
        return self.kind not in (Kind.REPEATED, Kind.REUSED)


def decide(session: Family, presented: int, now: datetime, grace: timedelta) -> Outcome:
    """Say what presenting one generation of a living session does.

    :param session: the family as stored; neither revoked nor expired.
    :param presented: the generation in a refresh token whose signature is valid.
    :param now: the store's clock, aware.
    :param grace: how long after a rotation everybody in the family gets the same successor;
        zero means strict rotation, where any second presentation is reuse.
    """
    current, parent = session.generation, session.parent

    if presented > current:
        # Signed by us, yet newer than what is stored: the store lost writes (failover, backup).
        return Outcome(Kind.FAST_FORWARDED, presented + 1, presented)

    # Strict rotation has no window, not even while a clock is behind.
    is_in_window = bool(grace and session.rotated_at and now < session.rotated_at + grace)
    if presented == current:
        if is_in_window:
            return Outcome(Kind.REPEATED, current, parent)
        return Outcome(Kind.ROTATED, current + 1, presented)

    if presented == parent and grace:
        if is_in_window:
            return Outcome(Kind.REPEATED, current, parent)
        # Nobody ever presented the current generation: the reply that carried it was lost.
        return Outcome(Kind.RECOVERED, current + 1, parent)

    return Outcome(Kind.REUSED, current, parent)


def is_used_up(session: Family, presented: int, grace: timedelta) -> bool:
    """Whether a presentation that moves nothing on is reuse, and the family has to be revoked.

    This is :func:`decide` for whoever asks for an access token alone: what it refuses, whatever
    the time, and nothing else. What it would write stays for the next rotation.

    :param session: the family as stored; neither revoked nor expired.
    :param presented: the generation in a refresh token whose signature is valid.
    :param grace: as for :func:`decide`; with strict rotation the parent was used up by making
        the current generation.
    """
    return presented < session.generation and not (presented == session.parent and grace)
