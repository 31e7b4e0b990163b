"""The linking rule: every case there is, and the table in docs/social.md."""

import re
from itertools import product

import pytest

from config import ROOT
from webapp.features.social.linking import Address, Decision, Holder, decide

CASES = list(product([True, False], Address, Holder))


@pytest.mark.parametrize(("is_known", "address", "holder"), CASES)
def test_every_case(is_known: bool, address: Address, holder: Holder) -> None:
    decision = decide(is_known, address, holder)
    # Each decision on its own terms, so that no case is left to the code's own order of questions.
    is_new = not is_known
    is_proved = address is Address.VERIFIED
    assert (decision is Decision.SIGN_IN) == is_known
    assert (decision is Decision.PROVE_ADDRESS) == (is_new and not is_proved)
    for expected, whose in (
        (Decision.MAKE_ACCOUNT, Holder.NOBODY),
        (Decision.GIVE_CLEAN, Holder.UNPROVED),
        (Decision.PROVE_ACCOUNT, Holder.PROVED),
    ):
        assert (decision is expected) == (is_new and is_proved and holder is whose)


def test_no_account_is_entered_by_an_address_alone() -> None:
    for is_known, address, holder in CASES:
        if decide(is_known, address, holder) is Decision.SIGN_IN:
            assert is_known


def test_every_decision_is_met() -> None:
    assert {decide(*case) for case in CASES} == set(Decision)


def test_the_table_in_the_docs_says_the_same() -> None:
    """`any` in a cell is any value; `yes` and `no` say whether somebody is known."""
    text = (ROOT / "docs" / "social.md").read_text()
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()]
    rows = [row for row in cells if len(row) == 4 and row[3] in set(Decision)]
    assert rows
    for is_known, address, holder in CASES:
        values = ("yes" if is_known else "no", address.value, holder.value)
        fitting = [
            row[3]
            for row in rows
            if all(
                re.sub("[`*]", "", cell) in (value, "any")
                for cell, value in zip(row, values, strict=False)
            )
        ]
        assert fitting == [decide(is_known, address, holder)], values
