"""The pretend providers are there when they are switched on, and never in production."""

import pytest

from tests.conftest import Closing, MakeApp
from tests.doors.pretend_kit import ALL
from tests.support import make_settings, parts_of
from webapp.errors import NotFound
from webapp.factory import create_app
from webapp.features.pretend.clients import client_of
from webapp.features.pretend.flow import find_provider


def test_what_the_app_is_given_follows_from_the_secret_key(
    make_app: MakeApp,
) -> None:
    same, other = parts_of(make_app()).settings, make_settings("sqlite://", secret_key="k1y" * 20)
    for name in ALL:
        assert client_of(name, same) == client_of(name, same)
        assert client_of(name, same) != client_of(name, other)
        assert client_of(name, same).client_id == f"pretend-{name}"


PATHS = [
    "google/authorize",
    "google/.well-known/openid-configuration",
    "google/keys",
    "google/userinfo",
    "google/token",
    "apple/authorize",
    "apple/token",
    "facebook/dialog/oauth",
    "facebook/oauth/access_token",
    "facebook/me",
    "facebook/debug_token",
    "github/login/oauth/authorize",
    "github/login/oauth/access_token",
    "github/user",
    "github/user/emails",
    "github/applications/pretend-github/token",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_they_are_not_there_unless_switched_on(make_app: MakeApp, method: str) -> None:
    off, some = make_app(), make_app(fake_providers=("facebook",))
    for path in PATHS:
        there = f"/dev/providers/{path}"
        assert off.test_client().open(there, method=method).status_code == 404
        status = some.test_client().open(there, method=method).status_code
        assert status != 404 if path.startswith("facebook") else status in (404, 405)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_they_are_never_there_in_production(
    database_url: str, closing: Closing, method: str
) -> None:
    production = make_settings(
        database_url, app_env="production", base_url="https://id.example.org", bcrypt_cost=12
    )
    # The settings refuse this (tests/house); so do the register of the rooms, and the rules.
    app = closing(create_app(production.model_copy(update={"fake_providers": ALL})))
    with app.app_context(), pytest.raises(NotFound):
        find_provider("google")
    for path in PATHS:
        response = app.test_client().open(f"/dev/providers/{path}", method=method)
        assert response.status_code == 404
