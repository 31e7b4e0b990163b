"""The GraphQL playground of development."""

from playwright.sync_api import Page, expect

from tests.browser.kit import IN_ONE_WORKER, MakeSite

pytestmark = IN_ONE_WORKER


def test_a_journey_from_register_to_logout(page: Page, make_site: MakeSite) -> None:
    site = make_site(GRAPHQL="on", EMAIL_VERIFICATION="off")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(site.url + "/graphql")
    answer = page.get_by_label("Answer", exact=True).locator("visible=true").last
    for example, words in (
        ("register", '"status": 201'),
        ("login", '"status": 200'),
        ("me", '"email": "alice@example.com"'),
        ("refresh", '"refresh": "ey'),
        ("logout", '"logout": true'),
        ("me", '"code": "token_revoked"'),
    ):
        page.get_by_role("button", name=example, exact=True).click()
        page.get_by_role("button", name="Run").click()
        expect(answer).to_contain_text(words)
    assert problems == []


def test_variables_that_are_no_json_are_not_sent(page: Page, make_site: MakeSite) -> None:
    page.goto(make_site(GRAPHQL="on").url + "/graphql")
    page.get_by_label("Variables").fill("{")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("status")).to_contain_text("not JSON")
    expect(page.get_by_label("Variables")).to_be_focused()
