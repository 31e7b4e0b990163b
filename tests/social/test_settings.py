"""What the environment says about providers: what is taken, and what is refused by name."""

from typing import Any

import pytest

from config import Settings, SettingsError
from config_providers import read_providers
from tests.conftest import MakeApp
from tests.support import make_settings, signing_key
from webapp.features.social.configured import configured

GOOD = {
    "OIDC_ACME_ISSUER": "https://id.example.org/realm",
    "OIDC_ACME_CLIENT_ID": "latchkey",
    "OIDC_ACME_CLIENT_SECRET": "hush-hush",
}
PRODUCTION: dict[str, Any] = {
    "app_env": "production", "base_url": "https://site.example.org", "bcrypt_cost": 10,
    "jwt_private_key": signing_key(),
}  # fmt: skip


def start(environment: dict[str, str], **settings: Any) -> Settings:
    made = make_settings("sqlite://", **settings)
    return made.with_providers(read_providers(environment)).completed()


def refusal(environment: dict[str, str], **settings: Any) -> str:
    with pytest.raises((ValueError, SettingsError)) as refused:
        start(environment, **settings)
    return str(refused.value)


def test_any_openid_provider_by_a_name_of_its_own() -> None:
    more = {"OIDC_ACME_LABEL": "Acme Staff", "OIDC_MY_IDP_2_CLIENT_ID": "x",
            "OIDC_MY_IDP_2_ISSUER": "http://localhost:9"}  # fmt: skip
    found = start(GOOD | more).providers
    assert set(found) == {"acme", "my_idp_2"}
    assert found["acme"].label == "Acme Staff"
    assert found["acme"].issuer == "https://id.example.org/realm"
    assert found["acme"].is_any_oidc
    assert "hush-hush" not in repr(found)


@pytest.mark.parametrize("issuer", ["", "id.example.org", "ftp://x.example", "https://x.example?y",
                                    "https://x.example#y", "https://", "https://x y"])  # fmt: skip
def test_an_issuer_that_is_no_address_is_refused(issuer: str) -> None:
    assert "OIDC_ACME_ISSUER" in refusal(GOOD | {"OIDC_ACME_ISSUER": issuer})


@pytest.mark.parametrize("text", ["app-one", "{}", '"x"', "[1]", '[""]', "[", "null", '["a",]'])
def test_an_audience_is_a_json_list(text: str) -> None:
    said = refusal(GOOD | {"OIDC_ACME_AUDIENCE": text})
    assert said.startswith("OIDC_ACME_AUDIENCE has to be a JSON list")


def test_an_audience_that_is_a_list() -> None:
    found = start(GOOD | {"OIDC_ACME_AUDIENCE": ' ["one", "two"] '}).providers
    assert found["acme"].audience == ("one", "two")


def test_every_problem_has_a_line() -> None:
    bad = {"OIDC_ONE_CLIENT_ID": "x", "OIDC_TWO_CLIENT_ID": "x", "OIDC_TWO_ISSUER": "y"}
    assert len(refusal(bad).splitlines()) == 2


def test_one_name_for_two_providers_is_refused() -> None:
    twice = {"GOOGLE_CLIENT_ID": "x", "OIDC_GOOGLE_CLIENT_ID": "y",
             "OIDC_GOOGLE_ISSUER": "https://id.example.org"}  # fmt: skip
    assert "names google a second time" in refusal(twice)


def test_production_demands_https_of_issuers() -> None:
    start(GOOD, **PRODUCTION)
    said = refusal(GOOD | {"OIDC_ACME_ISSUER": "http://id.example.org"}, **PRODUCTION)
    assert said == "The issuer of acme has to be https in production."
    google = {"GOOGLE_CLIENT_ID": "x", "GOOGLE_ISSUER": "http://127.0.0.1:9"}
    assert "The issuer of google" in refusal(google, **PRODUCTION)


def test_production_refuses_pretend_providers() -> None:
    said = refusal({}, **PRODUCTION, fake_providers=("google",))
    assert "FAKE_PROVIDERS lets anybody sign in as anybody" in said
    assert "FAKE_PROVIDERS takes" in refusal({}, fake_providers=("gogle",))


def test_a_provider_without_a_label_goes_by_its_name() -> None:
    more = {"OIDC_MY_IDP_CLIENT_ID": "x", "OIDC_MY_IDP_CLIENT_SECRET": "y",
            "OIDC_MY_IDP_ISSUER": "https://id.example.org"}  # fmt: skip
    found = configured(start(GOOD | more))
    assert [provider.label for provider in found.values()] == ["Acme", "My Idp"]
    found = configured(start(GOOD | {"OIDC_ACME_LABEL": "Acme Staff"}))
    assert found["acme"].label == "Acme Staff"


def test_what_is_half_set_up_is_not_shown_and_what_is_set_up_replaces_a_pretence(
    make_app: MakeApp,
) -> None:
    app = make_app(fake_providers=("github",))
    page = app.test_client().get("/login").text
    assert "Continue with GitHub" in page
    assert "(pretend)" in page
    assert "Continue with Google" not in page
    assert app.test_client().get("/auth/google/start").status_code == 404
