"""`flask social check`: each thing that is wrong with a provider's settings, in a sentence."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from config_providers import read_providers
from tests.conftest import Closing
from tests.social.evil import SECRET, Behaviour, Evil, Handler, evil_providers, says
from tests.social.kit import Place
from tests.support import free_port, make_settings, run_command, run_flask
from webapp.factory import create_app

pytestmark = pytest.mark.xdist_group("social")
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Run:
    """What came of the command."""

    returncode: int
    stdout: str
    stderr: str


Check = Callable[..., Run]


@pytest.fixture
def check(database_url: str, closing: Closing) -> Check:
    """The command, with these settings alone; in this process, which is quicker."""

    def run(provider: str, **settings: str) -> Run:
        given = make_settings(database_url, base_url="http://localhost:5001")
        app = closing(create_app(given.with_providers(read_providers(settings))))
        found = app.test_cli_runner().invoke(args=["social", "check", provider])
        assert found.exception is None or isinstance(found.exception, SystemExit)
        return Run(found.exit_code, found.stdout, found.stderr)

    return run


def wrong(run: Run) -> list[str]:
    """Return what it says is wrong."""
    assert "Traceback" not in run.stderr, run.stderr
    found = [line.split(maxsplit=1) for line in run.stdout.splitlines()]
    return [sentence for level, sentence in found if level == "WRONG"]


def only_wrong(run: Run) -> str:
    """Return the one thing that is wrong, for which the command fails."""
    assert run.returncode == 1, run.stdout
    (sentence,) = wrong(run)
    assert sentence.endswith(".")
    return sentence


@pytest.fixture(scope="module")
def acme() -> Iterator[Evil]:
    """A provider of any operator's own."""
    with evil_providers("acme") as found:
        yield found["acme"]


@pytest.fixture
def settings(acme: Evil) -> Iterator[dict[str, str]]:
    """Its settings, all right; the provider refuses codes that it has not given."""
    acme.behaviours = {"/token": refuse_code(acme)}
    yield {
        "OIDC_ACME_ISSUER": acme.issuer,
        "OIDC_ACME_CLIENT_ID": acme.client_id,
        "OIDC_ACME_CLIENT_SECRET": SECRET,
    }
    acme.reset()
    acme.metadata = {}


def refuse_code(evil: Evil) -> Behaviour:
    def answer(handler: Handler) -> None:
        is_client = handler._knows_client(evil)
        code = "invalid_grant" if is_client else "invalid_client"
        handler.say(400 if is_client else 401, {"error": code})

    return answer


@pytest.mark.parametrize("provider", ["apple", "facebook", "github"])
def test_all_is_right_with_the_providers_that_the_site_plays(place: Place, provider: str) -> None:
    environment = place.site.environment
    done = run_command("social", "check", provider, environment=environment, check=False)
    run = Run(done.exit_code, done.stdout, done.stderr)
    assert (run.returncode, wrong(run)) == (0, []), run.stdout + run.stderr
    assert f"{place.url}/auth/{provider}/callback" in run.stdout
    assert "clocks agree" in run.stdout


def test_all_is_right_with_any_openid_provider(check: Check, settings: dict[str, str]) -> None:
    run = check("acme", **settings)
    assert (run.returncode, wrong(run)) == (0, []), run.stdout + run.stderr
    assert "Register this redirect URI: http://localhost:5001/auth/acme/callback" in run.stdout
    assert SECRET not in run.stdout + run.stderr


def test_what_is_missing_is_named(check: Check) -> None:
    for provider, names in (
        ("google", "GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET"),
        ("apple", "APPLE_CLIENT_ID, APPLE_TEAM_ID, APPLE_KEY_ID, APPLE_PRIVATE_KEY"),
    ):
        assert names in only_wrong(check(provider))
    assert only_wrong(check("google", GOOGLE_CLIENT_ID="x")).endswith(": GOOGLE_CLIENT_SECRET.")
    given = {"OIDC_ACME_CLIENT_ID": "x", "OIDC_ACME_ISSUER": "https://id.example.org"}
    assert only_wrong(check("acme", **given)).endswith(": OIDC_ACME_CLIENT_SECRET.")


def test_a_wrong_setting_fails_the_command_at_the_shell(place: Place) -> None:
    environment = place.site.environment | {"GOOGLE_CLIENT_ID": "x"}
    done = run_flask("social", "check", "google", environment=environment, check=False)
    assert only_wrong(Run(done.returncode, done.stdout, done.stderr)).endswith("_CLIENT_SECRET.")


def test_a_provider_that_nobody_knows(check: Check) -> None:
    run = check("nobody")
    assert run.returncode == 1
    assert "There is no provider 'nobody'." in run.stderr
    assert "OIDC_NOBODY_ISSUER" in run.stderr


def test_a_wrong_secret(check: Check, settings: dict[str, str]) -> None:
    run = check("acme", **settings | {"OIDC_ACME_CLIENT_SECRET": "another"})
    assert "refuses the client id or the secret" in only_wrong(run)


def test_a_wrong_client_id(check: Check, settings: dict[str, str]) -> None:
    run = check("acme", **settings | {"OIDC_ACME_CLIENT_ID": "another"})
    assert "refuses the client id or the secret" in only_wrong(run)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (says(400, {"error": "redirect_uri_mismatch"}), "does not know the redirect URI"),
        (says(400, {"error": "purple"}), "purple"),
        (says(200, {"access_token": "x", "token_type": "Bearer"}), "a code that is made up"),
        (says(404, {"message": "Not Found"}), "a code that is made up, or answers nonsense"),
        (says(200, "<html>Welcome</html>"), "cannot be used"),
        (says(200, []), "cannot be used"),
        (says(503, "down"), "answers 503"),
    ],
    ids=["uri", "unknown", "tokens", "no error", "page", "list", "down"],
)
def test_a_token_endpoint_that_is_wrong(
    check: Check, settings: dict[str, str], acme: Evil, answer: Behaviour, sentence: str
) -> None:
    acme.behaviours = {"/token": answer}
    assert sentence in only_wrong(check("acme", **settings))


def test_a_wrong_issuer(check: Check, settings: dict[str, str], acme: Evil) -> None:
    run = check("acme", **settings | {"OIDC_ACME_ISSUER": acme.issuer + "/nowhere"})
    assert "answers 404" in only_wrong(run)
    run = check("acme", **settings | {"OIDC_ACME_ISSUER": acme.issuer + "/"})
    assert f"calls itself '{acme.issuer}'" in only_wrong(run)


def test_a_provider_that_cannot_be_reached(check: Check, settings: dict[str, str]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert "ConnectionError" in only_wrong(
        check("acme", **settings | {"OIDC_ACME_ISSUER": nowhere})
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-7200, "7200 seconds fast"), (7200, "7200 seconds slow"), (0, None), (-30, None)],
)
def test_a_clock_that_is_off(
    check: Check, settings: dict[str, str], acme: Evil, seconds: int, said: str | None
) -> None:
    def answer(handler: Handler) -> None:
        handler.date_time_string = lambda timestamp=None: formatdate(  # type: ignore[method-assign]
            time() + seconds, usegmt=True
        )
        handler.say(200, acme.answer(DISCOVERY))

    acme.behaviours |= {DISCOVERY: answer}
    run = check("acme", **settings)
    if said is None:
        assert (run.returncode, wrong(run)) == (0, [])
        return
    sentence = re.sub(r"\b720[1-9]\b|\b719[0-9]\b", "7200", only_wrong(run))
    assert sentence == f"This machine's clock is {said}: set it."


def test_a_provider_that_does_not_tell_the_time(
    check: Check, settings: dict[str, str], acme: Evil
) -> None:
    def answer(handler: Handler) -> None:
        handler.date_time_string = lambda timestamp=None: "soon"  # type: ignore[method-assign]
        handler.say(200, acme.answer(DISCOVERY))

    acme.behaviours |= {DISCOVERY: answer}
    run = check("acme", **settings)
    assert (run.returncode, wrong(run)) == (0, [])
    assert "clocks could not be compared" in run.stdout


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public(key: ec.EllipticCurvePrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


APPLES = {"APPLE_CLIENT_ID": "org.example", "APPLE_TEAM_ID": "T", "APPLE_KEY_ID": "K"}
BAD_KEYS = {
    "words": "nothing like a key",
    "a path": "/run/secrets/AuthKey.p8",
    "half of it": pem(ec.generate_private_key(ec.SECP256R1()))[:90],
    "RSA": pem(rsa.generate_private_key(65537, 2048)),
    "Ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
    "another curve": pem(ec.generate_private_key(ec.SECP384R1())),
    "the public half": public(ec.generate_private_key(ec.SECP256R1())),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_an_apple_key_that_cannot_sign(check: Check, name: str) -> None:
    run = check("apple", **APPLES, APPLE_PRIVATE_KEY=BAD_KEYS[name])
    assert only_wrong(run).startswith("APPLE_PRIVATE_KEY cannot sign")
    assert BAD_KEYS[name][-40:] not in run.stdout


def test_an_apple_key_on_one_line_is_as_good(check: Check, acme: Evil) -> None:
    """As environments and .env files have it, with \\n for the line ends."""
    key = pem(ec.generate_private_key(ec.SECP256R1())).replace("\n", "\\n")
    given = APPLES | {"APPLE_PRIVATE_KEY": key, "APPLE_ISSUER": acme.issuer}
    acme.behaviours = {"/token": says(400, {"error": "invalid_grant"})}
    run = check("apple", **given)
    assert (run.returncode, wrong(run)) == (0, []), run.stdout + run.stderr
    assert unquote(acme.issuer) in run.stdout
    acme.reset()
