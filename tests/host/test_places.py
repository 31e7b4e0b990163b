"""Whole blueprints and applications behind guards, each with a configuration of its own."""

import time

import jwt
import pytest
from flask import Blueprint, Flask, request

from config import SettingsError
from tests.conftest import Closing
from tests.doors.probes import ALICE, bearer, create_user, sign_in_by_bearer
from tests.host.kit import PAGE, JsonDoorAtHost, latchkey_of, make_host
from tests.support import make_settings
from webapp import Latchkey, current_principal, public, requires_role, signed_in
from webapp.errors import TokenExpired, TokenInvalid
from webapp.services.claims import AccessClaims

PARTNERS_SECRET = "a secret of the partner's own, long enough"


class PartnerTokens:
    """Verifies what another party signs."""

    def read_access(self, encoded: str, allow_expired: bool = False) -> AccessClaims:
        options = {"verify_exp": not allow_expired, "require": ["sub", "iat", "exp"]}
        try:
            claims = jwt.decode(encoded, PARTNERS_SECRET, algorithms=["HS256"], options=options)  # type: ignore[arg-type]
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except jwt.PyJWTError:
            raise TokenInvalid from None
        return AccessClaims(
            claims["sub"], "partner", claims["iat"], claims["iat"], (), ("partner",)
        )


class SecretHeader:
    """Reads tokens from a header of the host's own."""

    is_sent_unasked = False

    def find(self) -> str | None:
        return request.headers.get("X-Secret")


def place(name: str) -> Blueprint:
    """Return a blueprint that says who is there."""
    blueprint = Blueprint(name, __name__, url_prefix=f"/host/{name}")

    @blueprint.route("/", methods=["GET", "POST"])
    def show() -> str:
        principal = current_principal()
        return principal.claims.user_id if principal else "nobody"

    @blueprint.get("/partners")
    @requires_role("partner")
    def partners() -> str:
        return "partners"

    @blueprint.get("/open")
    @public
    def everybody() -> str:
        return "open"

    return blueprint


def partner_token(secret: str = PARTNERS_SECRET, lasts: int = 600) -> str:
    """Return a token of the partner's."""
    now = int(time.time())
    claims = {"sub": "robot", "iat": now, "exp": now + lasts}
    return jwt.encode(claims, secret, algorithm="HS256")


@pytest.fixture
def host(database_url: str, closing: Closing) -> Flask:
    """A host with three places: cookies alone, bearer alone, and another verifier."""
    host = make_host()
    latchkey = Latchkey()
    browsers, programs, partners = place("browsers"), place("programs"), place("partners")
    latchkey.guard(browsers, tokens_from=("cookie",))
    latchkey.guard(programs, tokens_from=("header",))
    latchkey.guard(partners, tokens_from=("header", SecretHeader()), verify=PartnerTokens())
    for blueprint in (browsers, programs, partners):
        host.register_blueprint(blueprint)
    latchkey.init_app(host, make_settings(database_url), url_prefix="/id")
    create_user(closing(latchkey_of(host).app))
    return host


@pytest.fixture
def alice(host: Flask) -> JsonDoorAtHost:
    """Alice's browser, signed in."""
    door = JsonDoorAtHost(host)
    assert door.sign_in(ALICE).is_fine
    return door


def test_three_configurations_side_by_side(host: Flask, alice: JsonDoorAtHost) -> None:
    ours = bearer(sign_in_by_bearer(JsonDoorAtHost(host).client)["access_token"])
    theirs = bearer(partner_token())
    stranger, browser = host.test_client(), alice.client

    def statuses(path: str) -> list[int]:
        replies = (
            browser.get(path),
            stranger.get(path, headers=ours),
            stranger.get(path, headers=theirs),
            stranger.get(path),
        )
        return [reply.status_code for reply in replies]

    assert statuses("/host/browsers/") == [200, 401, 401, 401]
    assert statuses("/host/programs/") == [401, 200, 401, 401]
    assert statuses("/host/partners/") == [401, 401, 200, 401]
    for name in ("browsers", "programs", "partners"):
        assert statuses(f"/host/{name}/open") == [200, 200, 200, 200]


def test_each_knows_who_is_there(host: Flask, alice: JsonDoorAtHost) -> None:
    client = host.test_client()
    theirs = bearer(partner_token())
    assert client.get("/host/partners/", headers=theirs).text == "robot"
    assert client.get("/host/partners/", headers={"X-Secret": partner_token()}).text == "robot"
    assert client.get("/host/partners/partners", headers=theirs).text == "partners"
    assert alice.client.get("/host/browsers/partners").get_json()["code"] == "forbidden"
    for token, code in (
        (partner_token("another secret than the partner's own"), "token_invalid"),
        (partner_token(lasts=-1), "token_expired"),
    ):
        refused = client.get("/host/partners/", headers=bearer(token))
        assert refused.get_json()["code"] == code


def test_cookies_alone_need_the_csrf_token_and_bearers_do_not(
    host: Flask, alice: JsonDoorAtHost
) -> None:
    assert alice.client.post("/host/browsers/").get_json()["code"] == "csrf_failed"
    headers = {"X-XSRF-TOKEN": alice.cookie("XSRF-TOKEN") or ""}
    assert alice.client.post("/host/browsers/", headers=headers).status_code == 200
    ours = bearer(sign_in_by_bearer(JsonDoorAtHost(host).client)["access_token"])
    assert host.test_client().post("/host/programs/", headers=ours).status_code == 200


def test_nobody_is_sent_round_in_circles(host: Flask, alice: JsonDoorAtHost) -> None:
    """The sign-in page would send Alice straight back: she is signed in, for all it knows."""
    assert alice.client.get("/id/login?next=/host/programs/").status_code == 303
    for name in ("programs", "partners"):
        page = alice.client.get(f"/host/{name}/", headers=PAGE)
        assert page.text == "the host's 401"
    expired = {"X-Secret": partner_token(lasts=-1)}
    page = alice.client.get("/host/partners/", headers=PAGE | expired)
    assert page.text == "the host's 401"
    stranger = host.test_client().get("/host/browsers/", headers=PAGE)
    assert stranger.headers["Location"] == "/id/login?next=/host/browsers/"


def test_a_whole_application(database_url: str, closing: Closing) -> None:
    host = make_host()
    latchkey = Latchkey(host, make_settings(database_url), url_prefix="/id")
    latchkey.guard(host, tokens_from=("header",))
    inner, outer = place("inner"), place("outer")
    latchkey.guard(inner, tokens_from=("cookie",))
    outer.register_blueprint(inner)
    host.register_blueprint(outer)
    create_user(closing(latchkey_of(host).app))
    alice = JsonDoorAtHost(host)
    alice.sign_in(ALICE)
    token = bearer(sign_in_by_bearer(JsonDoorAtHost(host).client)["access_token"])
    stranger = host.test_client()

    assert stranger.get("/host/page").status_code == 401
    assert stranger.get("/host/page", headers=token).status_code == 200
    assert stranger.get("/static/latchkey.css").status_code == 401
    assert stranger.get("/nothing").text == "the host's 404"
    assert stranger.put("/host/page").status_code == 405
    assert stranger.options("/host/page").status_code == 200
    assert stranger.get("/host/outer/open").text == "open"
    assert alice.client.get("/host/page").status_code == 401
    # Of several guards the innermost counts.
    path = "/host/outer/host/inner/"
    assert alice.client.get(path).status_code == 200
    assert stranger.get(path, headers=token).status_code == 401


def test_one_latchkey_serves_every_application_of_a_factory(
    database_url: str, closing: Closing
) -> None:
    latchkey = Latchkey()
    calls: list[Flask] = []

    def make_verifier(app: Flask) -> PartnerTokens:
        calls.append(app)
        return PartnerTokens()

    shared = place("shared")
    latchkey.guard(shared, verify=make_verifier)
    hosts = []
    for prefix in ("/id", "/accounts"):
        host = make_host()
        host.register_blueprint(shared)
        latchkey.init_app(host, make_settings(database_url), url_prefix=prefix)
        closing(latchkey_of(host).app)
        hosts.append(host)
    for host in hosts:
        for _ in range(3):
            reply = host.test_client().get("/host/shared/", headers=bearer(partner_token()))
            assert reply.text == "robot"
    assert calls == hosts  # Called once with each application.


def test_without_a_latchkey_a_guard_says_so() -> None:
    app = Flask("alone")

    @app.get("/")
    @signed_in
    def home() -> str:
        return "never"

    app.testing = True
    with pytest.raises(RuntimeError, match="Latchkey\\(app, settings\\)"):
        app.test_client().get("/")


@pytest.mark.parametrize(
    "wrong", [("cookies",), "cookie", (), (object(),), (lambda _app: object(),)]
)
def test_places_that_are_none_are_refused_at_once(
    database_url: str, wrong: tuple[str, ...]
) -> None:
    early, late = Latchkey(), Latchkey()
    early.guard(Blueprint("x", __name__), tokens_from=wrong)
    with pytest.raises(SettingsError):
        early.init_app(make_host(), make_settings(database_url))
    # Held on to: the extension does not keep the applications that it stands in front of.
    host = make_host()
    late.init_app(host, make_settings(database_url))
    with pytest.raises(SettingsError):
        late.guard(Blueprint("x", __name__), tokens_from=wrong)
