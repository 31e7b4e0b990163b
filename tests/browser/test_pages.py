"""Every page in every state, in both themes, on a phone, on a desk and at 200 % zoom."""

import os
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

from config import ROOT
from tests.browser import (
    account_states,
    admin_states,
    playground_states,
    pretend_states,
    social_states,
)
from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, MakeSite, Visitor
from tests.browser.states import LONG_APP_NAME, STATES, Sites
from tests.support import LiveSite

pytestmark = IN_ONE_WORKER

SCREENSHOTS = ROOT / "screenshots"
MIN_TARGET = 44


@dataclass(frozen=True)
class View:
    """A window to look through."""

    name: str
    width: int
    height: int
    theme: Literal["light", "dark"]
    # What axe finds is a matter of markup and colours: once in each theme, at either width.
    is_examined: bool = False


VIEWS = [
    View("360-light", 360, 740, "light", is_examined=True),
    View("360-dark", 360, 740, "dark"),
    View("1280-light", 1280, 800, "light"),
    View("1280-dark", 1280, 800, "dark", is_examined=True),
    View("zoom-dark", 640, 400, "dark"),  # a window of 1280 pixels at 200 %
]

AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "iframes": False,  # a mail in its sandbox runs nothing, axe neither; it is looked at alone
}
AXE_RULES = {"color-contrast-enhanced": {"enabled": True}}  # 7:1

INLINE = """() => [
    ...document.querySelectorAll("script:not([src]), style:not([nonce]), [style]"),
    ...[...document.querySelectorAll("*")].filter(
        (one) => one.getAttributeNames().some((name) => name.startsWith("on"))),
].map((one) => one.outerHTML.slice(0, 120))"""

# A link within a sentence may be as small as its line (WCAG 2.2, 2.5.8).
SMALL_TARGETS = """(least) => [...document.querySelectorAll("a, button, input, summary, .check")]
    .filter((one) => !one.matches("[type=hidden], [type=checkbox], [type=radio]"))
    .filter((one) => !one.matches(".skip, .mail-text a"))
    .filter((one) => !one.matches("p a:not(.button, .alone, .turn *)"))
    .filter((one) => one.checkVisibility())
    .filter((one) => one.getBoundingClientRect().height < least - 0.5)
    .map((one) => `${one.outerHTML.slice(0, 80)}: ${one.getBoundingClientRect().height}`)"""

OVERFLOW = """() => {
    const page = document.documentElement;
    return page.scrollWidth - page.clientWidth;
}"""


@pytest.fixture(scope="module")
def sites(site: LiveSite, make_site: MakeSite) -> Sites:
    """The usual site, one without any mail, one with a brand, one whose database is down."""
    return Sites(
        usual=site.url,
        empty=make_site().url,
        branded=make_site(
            APP_NAME=LONG_APP_NAME,
            APP_ACCENT="#7a1f3d",
            APP_LOGO="/static/mark.svg",
            FAKE_PROVIDERS="google",
        ).url,
        broken=make_site("sqlite:////nowhere/latchkey.db").url,
        database_url=site.environment["DATABASE_URL"],
    )


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A tab on a screen of two pixels to one, as a zoom of 200 % makes it."""
    return new_context(device_scale_factor=2).new_page()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser says against the page: errors, warnings, violations of the policy."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # Chromium calls a page's own status, such as 422, a failure to load.
        is_status = message.text.startswith("Failed to load resource: the server responded")
        is_page = message.location["url"].partition("#")[0] == page.url.partition("#")[0]
        if message.type in ("error", "warning") and not (is_status and is_page):
            said.append(f"{message.text} ({message.location['url']})")

    def hear_failure(request: Request) -> None:
        # Whoever leaves a page before its picture has come does no harm.
        if request.failure != "net::ERR_ABORTED":
            said.append(f"{request.url}: {request.failure}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", hear_failure)
    return said


def look_through(page: Page, view: View) -> None:
    page.set_viewport_size({"width": view.width, "height": view.height})
    page.emulate_media(color_scheme=view.theme, reduced_motion="reduce")
    assert page.evaluate("innerWidth") == view.width


def violations(page: Page, *not_asked: str) -> list[str]:
    rules = AXE_RULES | {rule: {"enabled": False} for rule in not_asked}
    results: dict[str, Any] = page.evaluate(
        "options => axe.run(options)", AXE_OPTIONS | {"rules": rules}
    )
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in results["violations"]
        for node in found["nodes"]
    ]


def assert_well_made(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title().endswith(("Latchkey", LONG_APP_NAME))
    assert page.evaluate(INLINE) == []


# Their states are among them.
assert all((account_states, admin_states, playground_states, pretend_states, social_states))


@pytest.mark.parametrize("name", STATES)
def test_page(name: str, page: Page, sites: Sites, complaints: list[str]) -> None:
    STATES[name](Visitor(page, sites.usual), sites)
    assert_well_made(page)
    page.evaluate(Axe().axe_script)
    wrong = {}
    for view in VIEWS:
        look_through(page, view)
        if os.environ.get("SCREENSHOTS"):
            SCREENSHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SCREENSHOTS / f"{name}-{view.name}.png", full_page=True)
        found = violations(page) if view.is_examined else []
        if (overflow := page.evaluate(OVERFLOW)) > 0:
            found.append(f"scrolls sideways by {overflow} px")
        found += [f"too small: {target}" for target in page.evaluate(SMALL_TARGETS, MIN_TARGET)]
        if found:
            wrong[view.name] = found
    assert wrong == {}
    assert complaints == []
