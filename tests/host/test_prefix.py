"""Everything follows the prefix: whole journeys, every link and form, cookies, mail."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask

from config import SettingsError
from tests.doors.probes import cookies_set
from tests.doors_kit import Door
from tests.host.conftest import MakeHost
from tests.host.kit import PAGE, JsonDoorAtHost, PagesDoorAtHost, make_host
from tests.support import PASSWORD, find_link, make_settings, token_in
from webapp import Latchkey, clock

EMAIL = "alice@example.com"


def test_from_sign_up_to_sign_out(door: Door, prefix: str) -> None:
    client = door.client
    asked = client.get("/host/guarded", headers=PAGE)
    assert asked.headers["Location"] == f"{prefix}/login?next=/host/guarded"

    assert door.sign_up(EMAIL).is_fine
    link = find_link(door.mails(EMAIL)[0].text, f"{prefix}/verify-email")
    assert link.startswith(f"http://localhost:5000{prefix}/verify-email?token=")
    assert door.another_browser().verify(token_in(link)).is_fine
    assert door.who_am_i() is None
    assert door.sign_in(EMAIL).is_fine
    assert client.get("/host/guarded", headers=PAGE).text == f"GET {EMAIL} "

    with time_machine.travel(clock.now() + timedelta(hours=1)):
        away = client.get("/host/guarded?page=2", headers=PAGE)
        assert away.status_code == 302
        assert away.headers["Location"].startswith(
            f"{prefix}/api/v1/auth/refresh/return?next=/host"
        )
        back = client.get("/host/guarded?page=2", headers=PAGE, follow_redirects=True)
        assert (back.text, back.request.path) == (f"GET {EMAIL} ", "/host/guarded")
        assert len(back.history) == 2

        assert door.sign_out().is_fine
        assert client.get("/host/guarded", headers=PAGE).status_code == 303
        assert client.get("/host/guarded").get_json()["code"] == "not_signed_in"


def test_the_sign_in_page_leads_back_to_the_host(host: Flask, prefix: str) -> None:
    door = PagesDoorAtHost(host)
    door.make_account()
    page = door.client.get(
        f"{prefix}/login?next=/host/guarded%3Fa%3D1"
        if prefix
        else "/login?next=/host/guarded%3Fa%3D1"
    )
    assert 'value="/host/guarded?a=1"' in page.text
    for target in ("//evil.example", "https://evil.example/x", "/\\evil.example"):
        browser = PagesDoorAtHost(host)
        answer = browser.submit("/login", email=EMAIL, password=PASSWORD, next=target)
        assert answer.response.headers["Location"] == f"{prefix}/account"
    answer = door.submit("/login", email=EMAIL, password=PASSWORD, next="/host/guarded?a=1")
    assert answer.response.headers["Location"] == "/host/guarded?a=1"


PAGES = (
    "/login",
    "/signup",
    "/logout",
    "/forgot-password",
    "/verify-email",
    "/verify-email?token=x",
    "/reset-password?token=x",
    "/account",
    "/account?notice=renamed",
    "/account/security",
    "/account/security/password",
    "/account/security/email",
    "/account/devices",
    "/account/delete",
    "/dev/mailbox",
    "/dev/mailbox?q=nobody",
    "/api/v1/docs",
    "/nothing",
)


@pytest.mark.parametrize("is_signed_in", [False, True], ids=["stranger", "alice"])
@pytest.mark.parametrize("path", PAGES)
def test_every_link_and_form_stays_below_the_prefix(
    in_front: MakeHost, path: str, is_signed_in: bool
) -> None:
    door = PagesDoorAtHost(in_front(make_host(), "/id"))
    door.make_account()
    door.another_browser().sign_up("bob@example.com")
    if is_signed_in:
        door.sign_in(EMAIL)
    page = door.client.get(path)
    targets = re.findall(r'(?:href|action|src)="(/[^"]*)"', unescape(page.text))
    targets += re.findall(r"^(/.*)", page.headers.get("Location", ""))
    assert targets
    assert [t for t in targets if not t.startswith("/id/")] == []
    for target in set(targets):
        with door.client.get(target) as reply:
            assert reply.status_code != 404, target


def test_mail_leads_below_the_prefix(in_front: MakeHost) -> None:
    door = JsonDoorAtHost(in_front(make_host(), "/id"))
    door.make_account()
    door.post("password/forgot", {"email": EMAIL})
    door.sign_in(EMAIL)
    door.another_browser().sign_in(EMAIL)
    door.another_browser().sign_up(EMAIL)
    mails = door.mails(EMAIL)
    assert len(mails) >= 4
    for mail in mails:
        found = re.findall(r"http://localhost:5000[^\s\"<]*", mail.text + mail.html)
        assert found
        assert [url for url in found if not re.match(r"http://localhost:5000/id(/|$)", url)] == []


def test_cookies_have_the_paths_that_both_need(in_front: MakeHost, prefix: str) -> None:
    door = JsonDoorAtHost(in_front(make_host(), prefix))
    door.make_account()
    found = cookies_set(door.sign_in(EMAIL).response)
    paths = {name: cookie.attributes["path"] for name, cookie in found.items()}
    device = next(name for name in paths if name.startswith("device_"))
    assert paths == {
        "access_token": "/",
        "refresh_token": f"{prefix}/api/v1/auth/refresh",
        "XSRF-TOKEN": "/",
        device: "/",
    }


def test_cookies_keep_their_prefixes_in_production(in_front: MakeHost) -> None:
    production = {
        "app_env": "production",
        "base_url": "https://shop.example",
        "bcrypt_cost": 10,
        "smtp_url": "smtp://localhost:1",
    }
    door = JsonDoorAtHost(in_front(make_host(), "/id", **production))
    JsonDoorAtHost.make_account(JsonDoorAtHost(door.host))
    found = cookies_set(door.sign_in(EMAIL).response)
    access, refresh = found["__Host-access_token"], found["__Secure-refresh_token"]
    assert access.attributes["path"] == "/"
    assert "domain" not in access.attributes
    assert refresh.attributes["path"] == "/id/api/v1/auth/refresh"
    for cookie in found.values():
        assert "secure" in cookie.attributes
    page = door.client.get("/host/guarded", base_url="https://shop.example")
    assert page.status_code == 401  # The cookies were set for another origin than that.


def test_the_documents_name_the_prefix(in_front: MakeHost) -> None:
    client = in_front(make_host(), "/id").test_client()
    spec = client.get("/id/api/v1/openapi.json").get_json()
    assert spec["servers"] == [{"url": "/id"}]
    kind = client.get("/id/api/v1/auth/me").get_json()["type"]
    assert kind == "http://localhost:5000/id/api/v1/docs#not_signed_in"
    assert "/id/api/v1/auth/login" in client.get("/id/api/v1/docs").text


def test_a_server_may_have_taken_a_part_of_the_path_already(in_front: MakeHost) -> None:
    client = in_front(make_host(), "/shop/id").test_client()
    mounted = {"SCRIPT_NAME": "/shop"}
    page = client.get("/id/login", environ_overrides=mounted)
    assert 'action="/shop/id/login"' in page.text
    asked = client.get("/host/guarded", headers=PAGE, environ_overrides=mounted)
    assert asked.headers["Location"] == "/shop/id/login?next=/shop/host/guarded"


def test_next_keeps_what_is_encoded_in_a_path(in_front: MakeHost) -> None:
    host = make_host()
    in_front(host, "/id")
    client = host.test_client()
    asked = client.get("/host/guarded?q=a%20b&r=%C3%A9", headers=PAGE)
    assert (
        asked.headers["Location"] == "/id/login?next=/host/guarded%3Fq%3Da%2520b%26r%3D%25C3%25A9"
    )


@pytest.mark.parametrize("prefix", ["id", "/id/", "/../x", "/", "/a b", "//x", "/x?y", "/x\n"])
def test_a_prefix_that_is_no_path_is_refused(database_url: str, prefix: str) -> None:
    with pytest.raises(SettingsError, match="URL_PREFIX"):
        Latchkey(make_host(), make_settings(database_url), url_prefix=prefix)
