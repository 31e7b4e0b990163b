"""With the keyboard alone, with a password manager, and after a mistake."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, Visitor, mailed_link, make_account, new_address
from tests.support import PASSWORD, LiveSite

pytestmark = IN_ONE_WORKER

# What the focused element shows that it would not show without the focus.
FOCUS = """() => {
    const one = document.activeElement;
    const look = () => {
        const style = getComputedStyle(one);
        const outline = style.outlineStyle === "none" ? "" : style.outlineWidth;
        return [outline, style.boxShadow === "none" ? "" : style.boxShadow];
    };
    const focused = look();
    one.blur();
    const changed = String(focused) !== String(look()) && focused.some((part) => part);
    one.focus();
    return {name: one.id || one.textContent.trim(), width: parseFloat(focused[0]) || 0, changed};
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something with this name or label has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => [document.activeElement.textContent.trim(),
                      document.activeElement.labels?.[0]?.textContent.trim()]"""
        )
        if name in found:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_from_sign_up_to_sign_out_without_a_mouse(visitor: Visitor) -> None:
    page, email = visitor.page, new_address()
    visitor.open("/")
    tab_to(page, "Sign up")
    page.keyboard.press("Enter")
    visitor.sees("Sign up")
    tab_to(page, "Your name (optional)")
    page.keyboard.type("Alice")
    tab_to(page, "Email address")
    page.keyboard.type(email)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    visitor.sees("Check your mail")

    page.goto(mailed_link(visitor.url, email))
    tab_to(page, "Confirm this address")
    page.keyboard.press("Space")
    visitor.is_signed_in_as(email)
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    visitor.sees("Sign out of Latchkey?")
    tab_to(page, "Sign out")  # the link at the top once more
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    visitor.sees("Sign in")


def test_sign_in_without_a_mouse(visitor: Visitor) -> None:
    page, email = visitor.page, make_account(visitor.url)
    visitor.open("/login")
    tab_to(page, "Email address")
    page.keyboard.type(email)
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    tab_to(page, "Keep me signed in on this device")
    page.keyboard.press("Space")
    expect(page.get_by_label("Keep me signed in")).not_to_be_checked()
    tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    visitor.is_signed_in_as(email)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/login", "/signup", "/verify-email", "/dev/mailbox", "/"])
def test_focus_is_plain_to_see_wherever_tab_leads(
    new_context: NewContext, site: LiveSite, path: str, theme: str
) -> None:
    page = new_context(color_scheme=theme).new_page()
    page.goto(site.url + path)
    seen: list[str] = []
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body") or len(seen) > 30:
            break
        focus = page.evaluate(FOCUS)
        assert focus["changed"], focus
        assert focus["width"] >= 2, focus
        seen.append(focus["name"])
    assert seen[0] == "Skip to the page"
    assert len(seen) >= 4


def test_the_skip_link_leads_past_the_header(visitor: Visitor) -> None:
    visitor.open("/login")
    visitor.page.keyboard.press("Tab")
    skip_link = visitor.page.get_by_role("link", name="Skip to the page")
    expect(skip_link).to_be_focused()
    expect(skip_link).to_be_in_viewport()
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    expect(visitor.field("Email address")).to_be_focused()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_after_errors_the_summary_has_the_focus_and_leads_to_the_fields(
    new_context: NewContext, site: LiveSite, scripts: bool
) -> None:
    visitor = Visitor(new_context(java_script_enabled=scripts).new_page(), site.url)
    visitor.open("/signup")
    visitor.press("Sign up")
    summary = visitor.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(visitor.page).to_have_title(re.compile("^Error: "))

    for number, label in enumerate(("Email address", "Password")):
        link = summary.get_by_role("link").nth(number)
        sentence = link.inner_text()
        link.press("Enter")
        field = visitor.field(label)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(re.escape(sentence)))


def test_nothing_typed_is_lost_after_an_error_but_the_password(visitor: Visitor) -> None:
    email = new_address()
    visitor.sign_up(email, password="short", name="Alice of <Wonderland>")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.field("Your name")).to_have_value("Alice of <Wonderland>")
    expect(visitor.field("Email address")).to_have_value(email)
    expect(visitor.field("Password")).to_have_value("")

    visitor.page.goto(visitor.url + "/login")
    visitor.sign_in(email, remember=False)
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.field("Email address")).to_have_value(email)
    expect(visitor.page.get_by_label("Keep me signed in")).not_to_be_checked()
    expect(visitor.field("Password")).to_have_value("")


def test_the_password_can_be_looked_at(visitor: Visitor) -> None:
    email = make_account(visitor.url)
    visitor.open("/login")
    visitor.fill_in(email, PASSWORD)
    field = visitor.field("Password")
    expect(field).to_have_attribute("type", "password")
    visitor.press("Show password")
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value(PASSWORD)
    expect(visitor.page.get_by_text("Your password is shown")).to_be_attached()
    visitor.press("Hide password")
    expect(field).to_have_attribute("type", "password")

    visitor.press("Show password")
    visitor.press("Sign in")
    visitor.is_signed_in_as(email)
    visitor.page.go_back()
    expect(visitor.page.locator("input[type=text][name=password]")).to_have_count(0)


def test_no_button_to_look_at_the_password_where_no_script_could_serve_it(
    new_context: NewContext, site: LiveSite
) -> None:
    visitor = Visitor(new_context(java_script_enabled=False).new_page(), site.url)
    visitor.open("/login")
    expect(visitor.page.get_by_role("button")).to_have_text(["Sign in"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/login", {"email": "username", "password": "current-password"}),
        ("/signup", {"name": "name", "email": "username", "password": "new-password"}),
        ("/verify-email", {"email": "email"}),
    ],
)
def test_password_managers_know_the_fields(
    visitor: Visitor, path: str, expected: dict[str, str]
) -> None:
    visitor.open(path)
    fields = visitor.page.locator("main input[autocomplete]").all()
    found = {one.get_attribute("name"): one.get_attribute("autocomplete") for one in fields}
    assert found == expected


def test_a_password_can_be_pasted(visitor: Visitor) -> None:
    visitor.open("/signup")
    visitor.field("Your name").fill(PASSWORD)
    visitor.field("Your name").press("Control+A")
    visitor.field("Your name").press("Control+C")
    visitor.field("Password").press("Control+V")
    expect(visitor.field("Password")).to_have_value(PASSWORD)
