"""People and the pages of administrators in the states that they are met in."""

import re
from functools import cache

from apiflask import APIFlask
from playwright.sync_api import expect

from tests.admin_kit import change, make
from tests.browser.kit import Visitor, new_address
from tests.browser.states import LONG_NAME, Sites, fails, long_address, state
from tests.doors.probes import execute
from tests.support import make_settings
from webapp.factory import create_app

LONG_ERROR = "550 5.1.1 The.mailbox.that.you.wrote.to.is.not.here.and.has.never.been: see https://a"


@cache
def app_on(database_url: str) -> APIFlask:
    """Return an application on a site's database, for what no page offers."""
    return create_app(make_settings(database_url))


def somebody(sites: Sites, *roles: str) -> tuple[str, str]:
    """Make an account with a long name and address; return its address and id."""
    email = long_address()
    return email, make(app_on(sites.database_url), email, *roles, name=LONG_NAME)


def enter(visitor: Visitor, sites: Sites) -> str:
    """Sign in as an administrator; return their id."""
    email, user_id = somebody(sites, "admin")
    visitor.sign_in(email)
    visitor.sees("Your account")
    return user_id


def look_after(visitor: Visitor, sites: Sites, page: str = "") -> str:
    """Open a page about somebody as an administrator; return their address."""
    enter(visitor, sites)
    email, user_id = somebody(sites)
    visitor.open(f"/admin/users/{user_id}{page}")
    return email


@state
def people(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    for first, last in (("Ada", "Lovelace"), ("W" * 30, "w" * 30)):
        visitor.open("/people/new")
        visitor.field("First name").fill(first)
        visitor.field("Last name").fill(last)
        visitor.press("Add the person")
        visitor.sees("People")


@state
def people_empty(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/people?cursor=WyIwIl0")
    expect(visitor.page.locator("main")).to_contain_text("There is nobody more")


@state
def person_with_errors(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/people/new")
    visitor.press("Add the person")
    fails(visitor, "Nothing is changed yet")


@state
def person(visitor: Visitor, sites: Sites) -> None:
    people(visitor, sites)
    visitor.page.get_by_role("link", name=re.compile(r"Change\s*: Ada")).first.click()
    visitor.sees("Change a person")


@state
def person_to_be_deleted(visitor: Visitor, sites: Sites) -> None:
    person(visitor, sites)
    visitor.page.get_by_role("link", name="Delete this person").click()
    visitor.sees("Delete Ada Lovelace?")


@state
def admin_accounts(visitor: Visitor, sites: Sites) -> None:
    app = app_on(sites.database_url)
    shut, _ = somebody(sites)
    change(app, shut, is_disabled=True)
    unproved = new_address()
    make(app, unproved, name="Short", password=None)
    execute(app, "UPDATE users SET email_verified_at = NULL WHERE email = :e", e=unproved)
    enter(visitor, sites)
    visitor.open("/admin")
    visitor.sees("Accounts")


@state
def admin_accounts_none_found(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/admin?q=" + long_address())
    expect(visitor.page.locator("main")).to_contain_text("Show all accounts")


@state
def admin_account(visitor: Visitor, sites: Sites) -> None:
    user_id = enter(visitor, sites)
    visitor.open(f"/admin/users/{user_id}")
    visitor.sees(LONG_NAME)


@state
def admin_account_disabled(visitor: Visitor, sites: Sites) -> None:
    look_after(visitor, sites, "/disable")
    visitor.press("Disable the account")
    visitor.sees(LONG_NAME)


@state
def admin_new(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/admin/users/new")
    visitor.press("Make the account")
    fails(visitor, "The account is not made yet")


@state
def admin_edit(visitor: Visitor, sites: Sites) -> None:
    look_after(visitor, sites, "/edit")
    visitor.page.get_by_label("admin").check()


@state
def admin_disable(visitor: Visitor, sites: Sites) -> None:
    look_after(visitor, sites, "/disable")
    visitor.sees("Disable this account?")


@state
def admin_reset(visitor: Visitor, sites: Sites) -> None:
    look_after(visitor, sites, "/reset-password")
    visitor.sees("Mail a link to set a new password?")


@state
def admin_reset_refused(visitor: Visitor, sites: Sites) -> None:
    email = look_after(visitor, sites, "/reset-password")
    change(app_on(sites.database_url), email, is_disabled=True)
    visitor.press("Send the link")
    fails(visitor, "Enable it first")


@state
def admin_end_session(visitor: Visitor, sites: Sites) -> None:
    admin_account(visitor, sites)
    visitor.page.get_by_role("link", name=re.compile(r"Sign out\s*: ")).first.click()
    visitor.sees("Sign out this device?")


@state
def admin_audit(visitor: Visitor, sites: Sites) -> None:
    admin_account_disabled(visitor, sites)
    visitor.open("/admin/audit")
    visitor.sees("Audit log")


@state
def admin_audit_empty(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/admin/audit?event=renamed&last_day=2020-01-31")
    expect(visitor.page.locator("main")).to_contain_text("Nothing of that kind happened")


@state
def admin_audit_with_errors(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/admin/audit?first_day=31.1.2020")
    expect(visitor.page.locator("#first_day-error")).to_be_visible()


def fail_mail(sites: Sites) -> None:
    """Have the newest message be one that was given up."""
    execute(
        app_on(sites.database_url),
        "UPDATE outbox SET last_error = :error, attempts = 11, due_at = NULL "
        "WHERE id = (SELECT max(id) FROM outbox)",
        error=LONG_ERROR,
    )


@state
def admin_outbox(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    make(app_on(sites.database_url), long_address(), password=None)
    fail_mail(sites)
    visitor.open("/admin/outbox")
    visitor.sees("Outbox")


@state
def admin_outbox_retry(visitor: Visitor, sites: Sites) -> None:
    admin_outbox(visitor, sites)
    visitor.page.get_by_role("link", name="Try again").first.click()
    visitor.sees("Try this message again?")


@state
def admin_outbox_empty(visitor: Visitor, sites: Sites) -> None:
    enter(visitor, sites)
    visitor.open("/admin/outbox?failed=1&cursor=WyIwIl0")
    expect(visitor.page.locator("main")).to_contain_text("Nothing has failed")


@state
def admin_forbidden(visitor: Visitor, sites: Sites) -> None:
    email, _ = somebody(sites)
    visitor.sign_in(email)
    visitor.sees("Your account")
    visitor.open("/admin")
    visitor.sees("Not allowed")
