"""How much a page weighs, and that it stands still while it loads."""

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, Visitor, make_account
from tests.support import LiveSite

pytestmark = IN_ONE_WORKER

LIMIT = 30 * 1024

SHIFTS = """new Promise((resolve) => {
    const shifts = [];
    new PerformanceObserver((list) => shifts.push(...list.getEntries()))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve(shifts.map((shift) => shift.value)), 300);
})"""


def test_the_sign_in_page_weighs_less_than_30_kib(page: Page, site: LiveSite) -> None:
    responses: list[Response] = []

    def keep(response: Response) -> None:
        responses.append(response)

    page.on("response", keep)
    page.goto(site.url + "/login", wait_until="networkidle")
    weights = {one.url.removeprefix(site.url): len(one.body()) for one in responses}
    assert {"/login", "/static/latchkey.css", "/static/js/page.js"} <= weights.keys()
    assert sum(weights.values()) < LIMIT, weights


def test_nothing_comes_from_elsewhere(page: Page, site: LiveSite) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    for path in ("/", "/login", "/signup", "/verify-email", "/api/v1/docs"):
        page.goto(site.url + path)
    assert [url for url in urls if not url.startswith(site.url)] == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["/", "/login", "/login?notice=signed_out", "/signup"])
def test_a_page_does_not_shift_while_it_loads(
    new_context: NewContext, site: LiveSite, path: str, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 740}).new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 60, "downloadThroughput": 50_000, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", slow)
    page.goto(site.url + path)
    assert sum(page.evaluate(SHIFTS)) == 0


def test_a_refused_form_does_not_shift_while_it_loads(visitor: Visitor) -> None:
    visitor.open("/signup")
    visitor.press("Sign up")
    assert sum(visitor.page.evaluate(SHIFTS)) == 0


def test_the_sign_in_page_works_with_no_script_and_no_style(
    new_context: NewContext, site: LiveSite
) -> None:
    context = new_context(java_script_enabled=False)
    context.route("**/static/**", lambda route: route.abort())
    visitor = Visitor(context.new_page(), site.url)
    email = make_account(site.url)
    visitor.sign_in(email)
    visitor.is_signed_in_as(email)
