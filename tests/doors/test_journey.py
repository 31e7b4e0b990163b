"""The main job through each door: sign up, prove the address, sign in, stay, sign out."""

from datetime import timedelta

import time_machine

from tests.doors_kit import Door
from webapp import clock


def test_from_sign_up_to_sign_out(door: Door) -> None:
    assert door.sign_up("alice@example.com", name="Alice").is_fine
    assert door.who_am_i() is None
    assert door.sign_in("alice@example.com").status == 403

    assert door.verify(door.mailed_token("alice@example.com")).is_fine
    assert door.who_am_i() == "alice@example.com"

    assert door.sign_out().is_fine
    assert door.who_am_i() is None

    assert door.sign_in("alice@example.com").is_fine
    assert door.who_am_i() == "alice@example.com"


def test_an_hour_later_one_is_still_signed_in(every_door: Door) -> None:
    every_door.make_account()
    every_door.sign_in("alice@example.com")
    with time_machine.travel(clock.now() + timedelta(hours=1)):
        assert every_door.refresh().is_fine
        assert every_door.who_am_i() == "alice@example.com"
