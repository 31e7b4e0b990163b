"""What our own tokens say, and that others can verify them by the published keys."""

import re
import secrets
from typing import Any

import jwt
import pytest
from apiflask import APIFlask
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.conftest import MakeApp
from tests.doors.probes import bearer, create_user, query, sign_in_by_bearer
from tests.support import private_key

ACCESS = {
    "iss",
    "aud",
    "sub",
    "sid",
    "iat",
    "exp",
    "jti",
    "type",
    "auth_time",
    "amr",
    "roles",
    "email",
}
REFRESH = {"iss", "aud", "sub", "sid", "gen", "iat", "exp", "jti", "type"}
JWKS = "/.well-known/jwks.json"


def pem(key: Any) -> str:
    encoded: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return encoded.decode()


KEYS = {
    "EdDSA": private_key(),
    "ES256": pem(ec.generate_private_key(ec.SECP256R1())),
    "RS256": pem(rsa.generate_private_key(65537, 2048)),
}


def verify(app: APIFlask, token: str) -> dict[str, Any]:
    """Verify as another service does, which knows nothing but the published keys."""
    published = app.test_client().get(JWKS).get_json()
    kid = jwt.get_unverified_header(token)["kid"]
    (key,) = [key for key in jwt.PyJWKSet.from_dict(published).keys if key.key_id == kid]
    base = "http://localhost:5000"
    return dict(jwt.decode(token, key, [str(key.algorithm_name)], audience=base, issuer=base))


def test_an_access_token_says_what_it_should_and_no_more(app: APIFlask) -> None:
    create_user(app)
    reply = sign_in_by_bearer(app.test_client())
    claims = verify(app, reply["access_token"])
    assert claims.keys() - {"fresh"} == ACCESS
    ((sid,),) = query(app, "SELECT id FROM sessions")
    assert (claims["sub"], claims["sid"]) == (reply["user"]["id"], sid)
    assert (claims["type"], claims["amr"], claims["roles"]) == ("access", ["pwd"], ["user"])
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["auth_time"] - claims["iat"]) <= 1


def test_a_refresh_token_says_what_it_should_and_no_more(app: APIFlask) -> None:
    create_user(app)
    claims = verify(app, sign_in_by_bearer(app.test_client())["refresh_token"])
    assert claims.keys() - {"fresh"} == REFRESH
    assert (claims["type"], claims["gen"]) == ("refresh", 1)
    assert claims["exp"] - claims["iat"] in (30 * 86400 - 1, 30 * 86400)


def test_no_two_tokens_have_one_id(app: APIFlask) -> None:
    create_user(app)
    replies = [sign_in_by_bearer(app.test_client()) for _ in range(3)]
    ids = [
        verify(app, r[f"{kind}_token"])["jti"] for r in replies for kind in ("access", "refresh")
    ]
    assert len(set(ids)) == 6


def test_refreshing_does_not_make_the_sign_in_any_younger(app: APIFlask) -> None:
    create_user(app)
    client = app.test_client()
    reply = sign_in_by_bearer(client)
    again = client.post("/api/v1/auth/refresh", headers=bearer(reply["refresh_token"])).get_json()
    before, after = (verify(app, r["access_token"]) for r in (reply, again))
    assert before["auth_time"] == after["auth_time"]
    assert before["sid"] == after["sid"]


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_algorithm_works_and_can_be_verified(make_app: MakeApp, algorithm: str) -> None:
    app = make_app(jwt_algorithm=algorithm, jwt_private_key=KEYS[algorithm])
    create_user(app)
    client = app.test_client()
    reply = sign_in_by_bearer(client)
    assert verify(app, reply["access_token"])["sub"] == reply["user"]["id"]
    assert jwt.get_unverified_header(reply["access_token"])["alg"] == algorithm
    assert client.get("/api/v1/auth/me", headers=bearer(reply["access_token"])).status_code == 200
    refreshed = client.post("/api/v1/auth/refresh", headers=bearer(reply["refresh_token"]))
    assert refreshed.status_code == 200


def test_a_shared_secret_works_and_is_not_published(make_app: MakeApp) -> None:
    secret = secrets.token_urlsafe(48)
    app = make_app(jwt_algorithm="HS256", jwt_private_key="", jwt_secret=secret)
    create_user(app)
    client = app.test_client()
    reply = sign_in_by_bearer(client)
    assert client.get("/api/v1/auth/me", headers=bearer(reply["access_token"])).status_code == 200
    refreshed = client.post("/api/v1/auth/refresh", headers=bearer(reply["refresh_token"]))
    assert refreshed.status_code == 200
    assert client.get(JWKS).get_json() == {"keys": []}
    base = "http://localhost:5000"
    jwt.decode(reply["access_token"], secret, ["HS256"], audience=base, issuer=base)


@pytest.mark.parametrize("algorithm", KEYS)
def test_only_public_parts_are_published(make_app: MakeApp, algorithm: str) -> None:
    app = make_app(jwt_algorithm=algorithm, jwt_private_key=KEYS[algorithm])
    response = app.test_client().get(JWKS)
    (key,) = response.get_json()["keys"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
    assert (key["use"], key["alg"]) == ("sig", algorithm)
    assert re.fullmatch(r"[\w-]{43}", key["kid"])
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in response.headers


def test_a_token_of_one_site_is_nothing_to_another_with_the_same_key(make_app: MakeApp) -> None:
    one = make_app()
    other = make_app(base_url="http://localhost:6000")
    create_user(one)
    tokens = sign_in_by_bearer(one.test_client())
    client = other.test_client()
    response = client.get("/api/v1/auth/me", headers=bearer(tokens["access_token"]))
    assert response.get_json()["code"] == "token_invalid"
    response = client.post("/api/v1/auth/refresh", headers=bearer(tokens["refresh_token"]))
    assert response.get_json()["code"] == "token_invalid"


def test_issuer_and_audience_are_settings(make_app: MakeApp) -> None:
    app = make_app(token_issuer="https://id.example", token_audience="https://api.example")
    create_user(app)
    client = app.test_client()
    token = sign_in_by_bearer(client)["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == ("https://id.example", "https://api.example")
    assert client.get("/api/v1/auth/me", headers=bearer(token)).status_code == 200


def test_the_lifetime_is_a_setting(make_app: MakeApp) -> None:
    app = make_app(access_token_expires=60, refresh_token_expires="1d")
    create_user(app)
    reply = sign_in_by_bearer(app.test_client())
    assert (reply["expires_in"], reply["refresh_expires_in"]) == (60, 86400)
