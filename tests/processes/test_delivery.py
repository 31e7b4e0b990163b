"""Mail that reaches a server: by the site's own thread, by the command, and by many at once."""

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from apiflask import APIFlask

from config import ROOT
from tests.conftest import MakeApp
from tests.doors_kit import JsonDoor
from tests.processes.kit import API, wait_until
from tests.processes.outbox_kit import deliver, message, put
from tests.processes.smtp_kit import Postbox, certificate, mail_server, tls_of
from tests.support import (
    PASSWORD,
    environment_of,
    find_link,
    live_site,
    parts_of,
    run_command,
    run_flask,
    token_in,
)

PRODUCTION = {"app_env": "production", "base_url": "https://id.example.org", "bcrypt_cost": 10}


def test_a_site_delivers_by_itself_and_the_link_works(database_url: str, tmp_path: Path) -> None:
    postbox = Postbox()
    with (
        mail_server(postbox) as port,
        live_site(database_url, tmp_path, 2, SMTP_URL=f"smtp://localhost:{port}") as site,
    ):
        body = {"email": "alice@example.com", "password": PASSWORD}
        assert requests.post(site.url + f"{API}/signup", json=body, timeout=30).status_code == 202
        wait_until(lambda: bool(postbox.letters))
        [letter] = postbox.letters
        assert letter.recipients == ["alice@example.com"]
        text = letter.mail.get_body(("plain",))
        assert text is not None
        link = find_link(text.get_content())
        assert link.startswith(site.url)
        token = {"token": token_in(link)}
        assert requests.post(site.url + f"{API}/email/verify", json=token).status_code == 204


def test_a_site_delivers_what_was_left_when_it_starts(
    app: APIFlask, database_url: str, tmp_path: Path
) -> None:
    put(app)
    postbox = Postbox()
    with (
        mail_server(postbox) as port,
        live_site(database_url, tmp_path, SMTP_URL=f"smtp://localhost:{port}"),
    ):
        wait_until(lambda: bool(postbox.letters))


def test_the_command_delivers_and_says_how_many(app: APIFlask, database_url: str) -> None:
    put(app, 3)
    postbox = Postbox()
    with mail_server(postbox) as port:
        environment = environment_of(DATABASE_URL=database_url, SMTP_URL=f"smtp://localhost:{port}")
        done = run_flask("mail", "deliver", environment=environment)
    assert done.stdout == "3 delivered, 0 to be tried again or given up.\n"
    assert len(postbox.letters) == 3


def test_four_commands_at_once_deliver_each_of_40_messages_once(
    app: APIFlask, database_url: str
) -> None:
    ids = put(app, 40)
    postbox = Postbox()
    with mail_server(postbox) as port:
        environment = environment_of(DATABASE_URL=database_url, SMTP_URL=f"smtp://localhost:{port}")
        commands = [
            subprocess.Popen(
                [sys.executable, "-m", "flask", "mail", "deliver"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        said = [command.communicate(timeout=60)[0] for command in commands]
    assert sum(int(words.split()[0]) for words in said) == 40
    assert sorted(letter.id for letter in postbox.letters) == sorted(
        f"<{id_}@localhost>" for id_ in ids
    )


def test_a_letter_holds_the_text_and_the_page(app: APIFlask) -> None:
    postbox = Postbox()
    [id_] = put(app)
    with mail_server(postbox) as port:
        deliver(app, f"smtp://localhost:{port}", mail_from="Latchkey <id@example.org>")
    mail = postbox.letters[0].mail
    assert mail["From"] == "Latchkey <id@example.org>"
    assert mail["To"] == "alice@example.com"
    assert mail["Subject"] == "Confirm your address"
    assert mail["Message-ID"] == f"<{id_}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert all("Grüße" in part.get_content() for part in mail.iter_parts())


def test_an_address_beyond_ascii_is_delivered(app: APIFlask) -> None:
    postbox = Postbox()
    put(app, recipient="renée@example.com")
    with mail_server(postbox) as port:
        assert deliver(app, f"smtp://localhost:{port}").delivered == 1
    assert postbox.letters[0].recipients == ["renée@example.com"]


def test_production_keeps_no_link_once_it_is_delivered(app: APIFlask) -> None:
    put(app)
    with mail_server(Postbox()) as port:
        deliver(app, f"smtp://localhost:{port}", **PRODUCTION)
    kept = message(app)
    assert kept.delivered_at is not None
    assert (kept.text, kept.html) == ("", "")


def test_development_keeps_a_delivered_message_to_read(app: APIFlask) -> None:
    put(app)
    with mail_server(Postbox()) as port:
        deliver(app, f"smtp://localhost:{port}")
    assert message(app).delivered_at is not None
    assert "token=abc" in message(app).text


def test_development_without_a_server_keeps_mail_and_never_sends_it(app: APIFlask) -> None:
    JsonDoor(app).sign_up("alice@example.com")
    postbox = Postbox()
    with mail_server(postbox) as port:
        assert deliver(app, f"smtp://localhost:{port}").delivered == 0
    assert not postbox.letters
    assert "Confirm" in app.test_client().get("/dev/mailbox").text


def test_starttls_is_used_where_it_is_offered(app: APIFlask, tmp_path: Path) -> None:
    postbox = Postbox()
    put(app)
    with mail_server(postbox, starttls=tls_of(certificate(tmp_path))) as port:
        deliver(app, f"smtp://localhost:{port}")
    assert postbox.letters[0].is_encrypted


# 0.0.0.0 leads to this machine, too, but counts as another one: it does not say so itself.


def test_another_host_without_starttls_gets_nothing(app: APIFlask) -> None:
    postbox = Postbox()
    put(app)
    with mail_server(postbox) as port:
        assert deliver(app, f"smtp://0.0.0.0:{port}").failed == 1
    assert not postbox.letters
    assert "STARTTLS" in (message(app).last_error or "")


def test_another_host_has_to_prove_who_it_is(app: APIFlask, tmp_path: Path) -> None:
    postbox = Postbox()
    put(app)
    with mail_server(postbox, starttls=tls_of(certificate(tmp_path))) as port:
        assert deliver(app, f"smtp://0.0.0.0:{port}").failed == 1
    assert not postbox.letters
    assert "certificate" in (message(app).last_error or "").lower()


def test_another_host_with_a_trusted_certificate_gets_the_mail(
    app: APIFlask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    postbox = Postbox()
    put(app)
    with mail_server(postbox, starttls=tls_of(trusted)) as port:
        assert deliver(app, f"smtp://0.0.0.0:{port}").delivered == 1
    assert postbox.letters[0].is_encrypted


def test_smtps_speaks_tls_from_the_start(
    app: APIFlask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    postbox = Postbox()
    put(app)
    with mail_server(postbox, smtps=tls_of(trusted)) as port:
        assert deliver(app, f"smtps://localhost:{port}").delivered == 1


def test_a_name_and_a_password_are_shown_to_the_server(app: APIFlask) -> None:
    postbox = Postbox()
    put(app)
    with mail_server(postbox, login=("id@example.org", "p:ss/w@rd")) as port:
        deliver(app, f"smtp://id%40example.org:p%3Ass%2Fw%40rd@localhost:{port}")
    assert postbox.letters[0].login == "id@example.org"


def test_a_name_of_this_site_cannot_add_a_header(make_app: MakeApp) -> None:
    name = "Latchkey\r\nBcc: eve@example.com"
    postbox = Postbox()
    with mail_server(postbox) as port:
        app = make_app(app_name=name, smtp_url=f"smtp://localhost:{port}")
        assert JsonDoor(app).sign_up("alice@example.com").is_fine
        wait_until(lambda: bool(postbox.letters))
        parts_of(app).mailer.stop()
    [letter] = postbox.letters
    assert letter.recipients == ["alice@example.com"]
    assert "Bcc" not in letter.mail


@pytest.mark.parametrize("times", [1, pytest.param(8, marks=pytest.mark.faults)])
def test_a_command_that_ends_at_once_drops_no_mail(database_url: str, times: int) -> None:
    """The thread of its process may have begun with the message: it is finished, or not begun."""
    for number in range(times):
        postbox = Postbox()
        with mail_server(postbox) as port:
            smtp_url = f"smtp://localhost:{port}"
            environment = environment_of(DATABASE_URL=database_url, SMTP_URL=smtp_url)
            new = ("user", "create", "--email", f"user{number}@example.com")
            run_flask(*new, "--password", PASSWORD, environment=environment)
            run_command("mail", "deliver", environment=environment)
        assert len(postbox.letters) == 1
