"""Somebody whose account is shut by another process, before this one has heard of it."""

from tests.conftest import MakeApp
from tests.doors.probes import ALICE, create_user
from tests.doors_kit import PagesDoor
from webapp.features.users import flow
from webapp.services.client import Client


def test_the_pages_lead_to_sign_in_and_do_not_go_in_circles(make_app: MakeApp) -> None:
    here, elsewhere = make_app(), make_app()
    create_user(here)
    for path in ("/account", "/account/security", "/account/devices"):
        with elsewhere.app_context():
            flow.enable_user(ALICE, Client("", ""))
        door = PagesDoor(here)
        assert door.sign_in(ALICE).is_fine
        assert door.client.get(path).status_code == 200
        with elsewhere.app_context():
            flow.disable_user(ALICE, Client("", ""))
        response = door.client.get(path, follow_redirects=True)
        assert (response.status_code, response.request.path) == (200, "/login")
