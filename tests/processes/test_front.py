"""The nginx in front, with the configuration of docs/deploy.md as it stands there, and TLS."""

import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config import ROOT
from tests.processes.kit import API, create_user
from tests.processes.nginx_kit import nginx
from tests.support import PASSWORD, free_port, live_site
from webapp import clock

pytestmark = pytest.mark.xdist_group("nginx")

ALICE = "alice@example.com"
SITE = "https://id.example.org"


class Front:
    """The site as the internet reaches it."""

    def __init__(self, http: int, https: int, certificate: Path) -> None:
        self.http, self.https = f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}"
        self.browser = requests.Session()
        # A bundle of certificates in the environment would count before ours.
        self.browser.trust_env = False
        self.browser.verify = str(certificate)
        self.browser.headers.update({"Host": "id.example.org", "Origin": SITE})


@pytest.fixture
def front(database_url: str, tmp_path: Path) -> Iterator[Front]:
    """Latchkey in production, behind the documented nginx."""
    http, https = free_port(), free_port()
    text = next(
        block
        for block in re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/deploy.md").read_text(), re.S)
        if "ssl_certificate " in block
    )
    make_certificate(tmp_path)
    production = {"APP_ENV": "production", "BASE_URL": SITE, "TRUSTED_PROXIES": "1"}
    with live_site(database_url, tmp_path, 1, BCRYPT_COST="10", **production) as site:
        site.url = "http://localhost:" + site.environment["PORT"]
        create_user(site, ALICE)
        for written, meant in {
            "listen 80;": f"listen 127.0.0.1:{http};",
            "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
            "/etc/ssl/id.example.org.pem": f"{tmp_path}/certificate.pem",
            "/etc/ssl/private/id.example.org.key": f"{tmp_path}/key.pem",
            "127.0.0.1:5000": site.url.removeprefix("http://"),
        }.items():
            assert written in text
            text = text.replace(written, meant)
        around = (
            "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;"
        )
        (tmp_path / "nginx.conf").write_text(f"{around}\n{text}\n}}\n")
        with nginx(tmp_path, https):
            front = Front(http, https, tmp_path / "certificate.pem")
            yield front
            front.browser.close()


def make_certificate(folder: Path) -> None:
    """Write a certificate for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id.example.org")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_people_get_https_and_are_known_by_their_own_address(front: Front) -> None:
    moved = front.browser.get(front.http + "/login?x=1", allow_redirects=False, timeout=30)
    assert (moved.status_code, moved.headers["Location"]) == (301, SITE + "/login?x=1")

    page = front.browser.get(front.https + "/login", timeout=30)
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")

    body = {"email": ALICE, "password": PASSWORD}
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "x"}
    reply = front.browser.post(front.https + f"{API}/login", json=body, headers=forged, timeout=30)
    assert reply.status_code == 200, reply.text
    cookies = {cookie.name: cookie for cookie in reply.cookies}
    assert {"__Host-access_token", "__Secure-refresh_token", "XSRF-TOKEN"} <= cookies.keys()
    assert all(cookie.secure for cookie in cookies.values())

    [session] = front.browser.get(front.https + f"{API}/sessions", timeout=30).json()["data"]
    assert session["ip"] == "127.0.0.1"


def test_what_is_too_large_is_refused_at_the_front(front: Front) -> None:
    reply = front.browser.post(front.https + f"{API}/login", data=b"x" * 70_000, timeout=30)
    assert reply.status_code == 413
