"""The linking rule: what becomes of somebody who comes from a provider. Its table: docs/social.md.

The danger is an address that the provider has not verified, or that somebody else has: neither
may lead into an account. Pure, so that every case is tested.
"""

from enum import StrEnum


class Address(StrEnum):
    """What the provider says about the address."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    MISSING = "missing"


class Holder(StrEnum):
    """Who has that address here."""

    NOBODY = "nobody"
    # An account that nobody has proved to be theirs: anybody can have made it.
    UNPROVED = "unproved"
    PROVED = "proved"


class Decision(StrEnum):
    """What happens."""

    SIGN_IN = "sign in"
    MAKE_ACCOUNT = "make an account"
    GIVE_CLEAN = "give the account, clean"
    PROVE_ACCOUNT = "ask to prove that account, then link"
    PROVE_ADDRESS = "ask for an address to prove"


def decide(is_known: bool, address: Address, holder: Holder) -> Decision:
    """Say what becomes of somebody.

    :param is_known: whether this (provider, subject) signs in to an account already. The address
        counts for nothing then: providers give addresses away again.
    :param holder: who has the address, where it is verified; what else it is decides nothing.
    """
    if is_known:
        return Decision.SIGN_IN
    if address is not Address.VERIFIED:
        return Decision.PROVE_ADDRESS
    return {
        Holder.NOBODY: Decision.MAKE_ACCOUNT,
        Holder.UNPROVED: Decision.GIVE_CLEAN,
        Holder.PROVED: Decision.PROVE_ACCOUNT,
    }[holder]
