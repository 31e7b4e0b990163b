"""Which passwords and names may be chosen, and that they work exactly as they were typed."""

import pytest
from apiflask import APIFlask

from tests.conftest import MakeApp
from tests.doors.conftest import Hashes
from tests.doors.probes import ALICE
from tests.doors_kit import Door, JsonDoor

LONG = "z" * 72


def sign_up_and_prove(door: Door, password: str) -> None:
    assert door.sign_up(ALICE, password).is_fine
    assert door.another_browser().verify(door.mailed_token(ALICE)).is_fine


@pytest.mark.parametrize(
    "password",
    [
        "x" * 64,
        "ab" * 512,
        "🔑" * 1024,
        "  spaces on both sides  ",
        "pass\0word with NUL",
        "tab\tand\nnewline inside",
        "пароль и ещё немного",
        "'; DROP TABLE users; --",
        "<script>alert(1)</script>",
        "%00%0a{{7*7}}${jndi}",
    ],
    ids=["64", "1024", "1024-emoji", "spaces", "nul", "tab", "cyrillic", "sql", "html", "escapes"],
)
def test_a_password_works_exactly_as_typed(app: APIFlask, password: str) -> None:
    door = JsonDoor(app)
    sign_up_and_prove(door, password)
    assert door.sign_in(ALICE, password).is_fine


@pytest.mark.parametrize(
    "password", ["  spaces on both sides  ", "x" * 64, "🔑" * 100], ids=["spaces", "64", "emoji"]
)
def test_a_page_takes_it_as_typed_too(door: Door, password: str) -> None:
    sign_up_and_prove(door, password)
    assert door.sign_in(ALICE, password).is_fine
    assert door.who_am_i() == ALICE


@pytest.mark.parametrize(
    ("chosen", "tried"),
    [
        (LONG + " the rest", LONG + " another"),
        (LONG + " the rest", LONG),
        ("before\0after it", "before\0other things"),
        ("before\0after it", "before"),
        ("before\0after it", "before "),
        ("  with spaces  ", "with spaces"),
        ("Correct Horse 17", "correct horse 17"),
        ("x" * 1024, "x" * 1023),
        ("plain words é", "plain words e"),
    ],
    ids=["prefix", "cut", "nul", "nul-cut", "nul-gone", "spaces", "case", "one-less", "accent"],
)
def test_a_password_that_only_looks_alike_is_refused(
    app: APIFlask, chosen: str, tried: str
) -> None:
    door = JsonDoor(app)
    sign_up_and_prove(door, chosen)
    assert door.sign_in(ALICE, tried).status == 401
    assert door.sign_in(ALICE, chosen).is_fine


@pytest.mark.parametrize(
    ("chosen", "tried"),
    [
        ("caf\u00e9 au lait", "cafe\u0301 au lait"),
        ("\ufb01sh and chips", "fish and chips"),
        ("\uff11\uff12\uff13 vier f\u00fcnf", "123 vier fu\u0308nf"),
    ],
    ids=["composed", "ligature", "full-width"],
)
def test_one_password_typed_on_two_keyboards_is_one(door: Door, chosen: str, tried: str) -> None:
    sign_up_and_prove(door, chosen)
    assert door.sign_in(ALICE, tried).is_fine


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "missing"),
        ("seven 7", "too_short"),
        ("x" * 1025, "too_long"),
        ("password1", "too_common"),
        ("PassWord1", "too_common"),
        ("\uff50assword1", "too_common"),
        ("iloveyou1", "too_common"),
        (f"my {ALICE} word", "contains_email"),
        ("ALICE@Example.com1", "contains_email"),
        ("my LATCHKEY word", "contains_app_name"),
    ],
)
def test_a_password_that_could_be_guessed_is_refused(
    app: APIFlask, hashes: Hashes, password: str, code: str
) -> None:
    answer = JsonDoor(app).sign_up(ALICE, password)
    errors = answer.response.get_json()["errors"]
    assert answer.status == 422
    assert [(error["field"], error["code"]) for error in errors] == [("password", code)]
    assert hashes.count == 0


def test_nobody_takes_their_own_name_for_a_password(app: APIFlask) -> None:
    answer = JsonDoor(app).sign_up("alexandra.smith@example.com", "Alexandra.Smith")
    assert answer.response.get_json()["errors"][0]["code"] == "contains_email"


def test_a_page_refuses_them_too(door: Door) -> None:
    for password in ("password1", "seven 7", "x" * 1025, ""):
        answer = door.sign_up(ALICE, password)
        assert answer.status == 422
        assert answer.fields == {"password"}


def test_too_long_a_password_is_refused_before_hashing_at_sign_in(
    app: APIFlask, door: Door, hashes: Hashes
) -> None:
    answer = door.sign_in(ALICE, "x" * 1025)
    assert answer.status == 422
    assert answer.fields == {"password"}
    assert hashes.count == 0


def test_the_least_length_is_a_setting(make_app: MakeApp) -> None:
    door = JsonDoor(make_app(password_min_length=15))
    assert door.sign_up(ALICE, "fourteen chars").status == 422
    assert door.sign_up(ALICE, "fifteen chars !").status == 202


@pytest.mark.parametrize(
    "name", ["", "Ann", "Zoë Müller-Lüdenscheidt", "李小龍", "x" * 100, "O'Neil"]
)
def test_a_name_is_kept_as_typed(app: APIFlask, name: str) -> None:
    door = JsonDoor(app)
    door.sign_up(ALICE, name=f" {name} ")
    door.verify(door.mailed_token(ALICE))
    assert door.client.get("/api/v1/auth/me").get_json()["name"] == name


@pytest.mark.parametrize("name", ["x" * 101, "a\0b", "a\nb", "a\x1b[31mb", "a\x7fb", "a\ufffeb"])
def test_a_name_without_a_shape_is_refused(door: Door, name: str) -> None:
    answer = door.sign_up(ALICE, name=name)
    assert answer.status == 422
    assert answer.fields == {"name"}


def test_a_name_is_no_markup(app: APIFlask) -> None:
    door = JsonDoor(app)
    door.sign_up(ALICE, name="<img src=x onerror=alert(1)>")
    (mail,) = door.mails(ALICE)
    assert "<img src=x" not in mail.html
    door.verify(door.mailed_token(ALICE))
    assert "<img src=x" not in door.client.get("/account").text


@pytest.mark.parametrize(
    "address",
    ["", " ", "alice", "@example.com", "alice@", "alice@example", "a b@example.com",
     "alice@example.com\nBcc: eve@example.com", "alice@exa\0mple.com", "alice@@example.com",
     "alice@example..com", "a@" + "x." * 130 + "com",
     "Alice <alice@example.com>", "alice@example.com,eve@example.com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(door: Door, address: str) -> None:
    answer = door.sign_up(address)
    assert answer.status == 422
    assert answer.fields == {"email"}
