"""What people are written: each message in text and as a page, with a short subject."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from apiflask import APIFlask

from config import ROOT
from tests.conftest import MakeApp
from tests.support import PASSWORD, find_link, token_in
from webapp.errors import RefreshReused, ValidationFailed
from webapp.features.refresh import flow as refreshing
from webapp.features.sign_in import flow as signing_in
from webapp.features.sign_up import flow as signing_up
from webapp.features.verify_email import flow as verifying
from webapp.services.client import Client
from webapp.stores import outbox
from webapp.stores.outbox import Message
from webapp.stores.transactions import read

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CLIENT = Client(ip="192.0.2.7", user_agent=FIREFOX)
TEMPLATES = ROOT / "templates" / "mail"


def sign_up(name: str = "Alice", client: Client = CLIENT) -> None:
    signing_up.sign_up(signing_up.SignUp("alice@example.com", PASSWORD, name), client)


def verify() -> None:
    verifying.confirm(token_in(find_link(newest().text)), CLIENT)


def sign_up_again() -> None:
    sign_up()
    verify()
    sign_up()


def reuse_a_token() -> None:
    """Present the first token of a family once it has moved on twice; strictly, with no window."""
    sign_up()
    verify()
    signed_in = signing_in.sign_in(signing_in.SignIn("alice@example.com", PASSWORD), CLIENT)
    refreshing.refresh(signed_in.refresh_token, CLIENT)
    with pytest.raises(RefreshReused):
        refreshing.refresh(signed_in.refresh_token, CLIENT)


# The messages of signing up and staying signed in, and what makes the site write them; those about
# an account have tests beside its rooms, which know of every template.
OCCASIONS: dict[str, Callable[[], None]] = {
    "verify_email": sign_up,
    "sign_up_taken": sign_up_again,
    "refresh_reused": reuse_a_token,
}


def newest() -> Message:
    return read(lambda: outbox.latest(1))[0]


@pytest.fixture(params=OCCASIONS)
def message(request: pytest.FixtureRequest, make_app: MakeApp) -> Message:
    """Each message in turn, as it comes to stand in the outbox."""
    with make_app(refresh_grace="0").app_context():
        OCCASIONS[request.param]()
        found = newest()
    assert found.template == request.param
    return found


def test_every_template_is_a_text_and_a_page() -> None:
    def names(pattern: str) -> set[str]:
        return {Path(file).stem for file in TEMPLATES.glob(pattern) if file.name[0] != "_"}

    assert names("*.txt") == names("*.html")


def test_a_subject_is_short_and_names_the_site(message: Message) -> None:
    """Phones cut subjects at about 50 characters."""
    assert 10 < len(message.subject) < 50
    assert "Latchkey" in message.subject


def test_the_text_is_whole_and_fits_a_plain_reader(message: Message) -> None:
    assert "Subject:" not in message.text
    assert "{{" not in message.text
    assert "None" not in message.text
    assert "\n\n\n" not in message.text
    prose = [line for line in message.text.splitlines() if "://" not in line]
    assert max(map(len, prose)) <= 78


def test_the_page_is_whole_and_loads_nothing(message: Message) -> None:
    assert message.html.startswith("<!doctype html>")
    assert message.html.rstrip().endswith("</html>")
    assert "{{" not in message.html
    assert not re.search(r"<(img|script|link|iframe)\b|url\(", message.html)


def test_text_and_page_lead_to_the_same_places(message: Message) -> None:
    def links(of: str) -> set[str]:
        return {link.rstrip("/.,") for link in re.findall(r"https?://[^\s\"<>]+", of)}

    assert links(message.text) == links(message.html)


def test_every_message_says_what_to_do_if_it_was_not_you(message: Message) -> None:
    assert "This was not you?" in message.text
    assert "This was not you?" in message.html


def test_links_are_made_of_base_url_alone(make_app: MakeApp) -> None:
    with make_app(base_url="https://id.example.org").app_context():
        sign_up()
        assert find_link(newest().text).startswith("https://id.example.org/verify-email?token=")
        assert "localhost" not in newest().text + newest().html


def test_a_message_tells_where_the_request_came_from(app: APIFlask) -> None:
    with app.app_context():
        sign_up()
        assert "Firefox on Linux, 192.0.2.7" in newest().text


def test_a_browser_cannot_write_into_the_mail(app: APIFlask) -> None:
    """A stranger chooses this header, and the mail goes to somebody else."""
    with app.app_context():
        sign_up(client=Client("192.0.2.7", "<b>Firefox/</b> Linux http://evil.example\n\nBuy!"))
        assert "evil" not in newest().text + newest().html
        assert "Buy" not in newest().text + newest().html


def test_a_name_cannot_write_into_the_mail(app: APIFlask) -> None:
    with app.app_context():
        sign_up(name="Win money at http://evil.example <b>now</b>")
        assert "evil" not in newest().text + newest().html + newest().subject


def test_the_name_of_the_site_is_escaped_in_the_page(make_app: MakeApp) -> None:
    with make_app(app_name="Bread & <Butter>").app_context():
        sign_up()
        assert "Bread &amp; &lt;Butter&gt;" in newest().html
        assert "Bread & <Butter>" in newest().text
        assert newest().subject == "Confirm your address for Bread & <Butter>"


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.com\r\nBcc: eve@example.com",
        "alice@example.com\nBcc: eve@example.com",
        "alice@example.com, eve@example.com",
        "Alice <alice@example.com>",
        '"alice\r\nBcc: eve"@example.com',
        "alice@example.com\u2028Bcc: eve@example.com",
        "alice@example.com%0aBcc:eve@example.com",
    ],
)
def test_an_address_cannot_bring_a_header_or_a_second_recipient(
    app: APIFlask, address: str
) -> None:
    with app.app_context():
        with pytest.raises(ValidationFailed):
            signing_up.sign_up(signing_up.SignUp(address, PASSWORD), CLIENT)
        assert not read(lambda: outbox.latest(1))


def test_nothing_is_written_when_the_sign_up_is_refused(app: APIFlask) -> None:
    with app.app_context():
        with pytest.raises(ValidationFailed):
            signing_up.sign_up(signing_up.SignUp("alice@example.com", "short"), CLIENT)
        assert not read(lambda: outbox.latest(1))
