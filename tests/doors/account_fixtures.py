"""The fixture for what both doors to one's own account do alike."""

import pytest
from apiflask import APIFlask

from tests.account_kit import AccountDoor, AccountJson, AccountPages


@pytest.fixture(params=[AccountPages, AccountJson], ids=["pages", "json"])
def account_door(request: pytest.FixtureRequest, app: APIFlask) -> AccountDoor:
    """Each door to one's own account in turn, with an empty browser in front of it."""
    made: AccountDoor = request.param(app)
    return made
