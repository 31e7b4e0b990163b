"""A day of an administrator: somebody is made, found, promoted and shut out."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewContext
from tests.browser.kit import IN_ONE_WORKER, Visitor, mailed_link, new_address
from tests.support import PASSWORD, LiveSite, run_command

pytestmark = IN_ONE_WORKER


@pytest.fixture
def admin(visitor: Visitor, site: LiveSite) -> Visitor:
    """The first administrator, from the shell, signed in."""
    email = new_address("ada")
    run_command(
        *("user", "create", "--email", email, "--password", PASSWORD),
        *("--verified", "--role", "admin"),
        environment=site.environment,
    )
    visitor.sign_in(email)
    visitor.page.get_by_role("link", name="Admin", exact=True).click()
    visitor.sees("Accounts")
    return visitor


def test_from_the_first_account_to_the_audit_log(admin: Visitor, new_context: NewContext) -> None:
    email = new_address("nina")
    admin.page.get_by_role("link", name="Make an account").click()
    admin.fill_in(email)
    admin.field("Name").fill("Nina")
    admin.press("Make the account")
    admin.sees("Nina")

    nina = Visitor(new_context().new_page(), admin.url)
    nina.page.goto(mailed_link(admin.url, email, "/reset-password"))
    nina.field("New password").fill(PASSWORD)
    nina.press("Set the password")
    nina.sign_in(email)
    nina.is_signed_in_as(email)

    admin.open("/admin")
    admin.page.get_by_label("Address or name begins with").fill("nin")
    admin.press("Search")
    admin.page.get_by_role("link", name=email).click()
    admin.page.get_by_role("link", name="Change the name and the roles").click()
    admin.page.get_by_label("admin").check()
    admin.press("Save the changes")
    expect(admin.page.get_by_role("status")).to_contain_text("The account is changed")

    # Her token of before says nothing of it; without a word, she gets one that does.
    nina.page.wait_for_timeout(1200)
    nina.open("/admin")
    nina.sees("Accounts")

    admin.page.get_by_role("link", name="Disable the account").click()
    admin.press("Disable the account")
    expect(admin.page.get_by_role("status")).to_contain_text("The account is disabled")
    nina.page.wait_for_timeout(1200)
    nina.page.reload()
    nina.sees("Sign in")

    admin.page.get_by_role("link", name="Audit log").click()
    admin.page.get_by_label("Event").select_option("user_disabled")
    admin.page.get_by_label("Person").fill(email)
    admin.press("Show")
    expect(admin.page.locator(".row")).to_have_count(1)
    expect(admin.page.locator(".row")).to_contain_text(email)
