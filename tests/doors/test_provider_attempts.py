"""An attempt to sign in with a provider is this browser's, and asks for no more than it needs.

GitHub's endpoints are known without asking it, so that nobody has to be there.
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.conftest import MakeApp
from tests.doors.probes import audited, cookies_set
from webapp.features.social.providers import DECLARATIONS

SCOPES = {
    "google": "openid email profile",
    "microsoft": "openid email profile",
    "apple": "name email",
    "facebook": "public_profile email",
    "github": "read:user user:email",
}


@pytest.fixture
def github(make_app: MakeApp) -> APIFlask:
    """A site with pretend GitHub, at two names."""
    return make_app(fake_providers=("github", "facebook"))


def begin(client: FlaskClient, query: str = "") -> dict[str, str]:
    """Go to GitHub; return what it is asked."""
    response = client.get(f"/auth/github/start{query}")
    assert response.status_code == 303
    asked = parse_qs(urlsplit(response.location).query)
    return {name: values[0] for name, values in asked.items()}


def test_each_attempt_has_secrets_of_its_own(github: APIFlask) -> None:
    client = github.test_client()
    one, two = begin(client), begin(client)
    for name in ("state", "code_challenge"):
        assert len(one[name]) >= 43, "32 bytes"
        assert one[name] != two[name]
    assert one["code_challenge_method"] == "S256"
    assert one["redirect_uri"] == "http://localhost:5000/auth/github/callback"


@pytest.mark.parametrize("provider", ["github", "facebook"])
def test_a_reply_is_for_the_browser_and_the_provider_of_its_attempt(
    github: APIFlask, provider: str
) -> None:
    client = github.test_client()
    state = begin(client)["state"]
    browser = client if provider == "facebook" else github.test_client()
    begin(browser)
    response = browser.get(f"/auth/{provider}/callback?state={state}&code=stolen")
    assert response.status_code == 400
    assert "access_token" not in cookies_set(response)
    assert "signed_in" not in audited(github)


def test_no_provider_is_asked_for_more_than_a_name_and_an_address() -> None:
    assert {name: declared.scope for name, declared in DECLARATIONS.items()} == SCOPES


def test_a_browser_is_sent_to_providers_that_are_set_up_alone(github: APIFlask) -> None:
    client = github.test_client()
    for provider_id in ("google", "evil.example", "https:%2F%2Fevil.example"):
        assert client.get(f"/auth/{provider_id}/start").status_code == 404, provider_id
    assert client.get("/auth/github/start?issuer=https://evil.example").location.startswith(
        "http://localhost:5000/dev/providers/github/"
    )
