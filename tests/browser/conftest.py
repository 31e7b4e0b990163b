"""A Chromium and a running site for all of this folder, and an empty browser for each test.

The browser belongs to the package, not to the session: Playwright keeps an event loop running in
its thread, and tests elsewhere may want to run one of their own.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config import ROOT
from config_providers import FAKES
from tests.browser.kit import MakeSite, Visitor
from tests.database_kit import CHOSEN
from tests.support import LiveSite, live_site, migrated_database, skip

PATIENCE = 10_000.0  # ms
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

NewContext = Callable[..., BrowserContext]


def _find_chromium() -> str:
    named = os.environ.get("CHROMIUM")
    if named is not None:
        return named
    found = subprocess.run(
        [ROOT / "scripts" / "find-browser"], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The one browser."""
    path = _find_chromium()
    if not path:
        skip("there is no Chromium on this machine, which the tests in tests/browser drive")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def make_site(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSite]:
    """A function that starts a site with an empty database; its keyword arguments are settings."""
    with ExitStack() as running:

        def make(database_url: str = "", **variables: str) -> LiveSite:
            folder = tmp_path_factory.mktemp("site")
            if not database_url:
                made = migrated_database(CHOSEN or "sqlite", migrated_file, folder)
                database_url = running.enter_context(made)
            return running.enter_context(live_site(database_url, folder, workers=1, **variables))

        yield make


@pytest.fixture(scope="package")
def site(make_site: MakeSite) -> LiveSite:
    """A site as `make run` starts it, with pretend providers and GraphQL."""
    return make_site(FAKE_PROVIDERS=",".join(FAKES), GRAPHQL="on")


@pytest.fixture
def new_context(browser: Browser) -> Iterator[NewContext]:
    """A function that makes an empty browser; its arguments are Playwright's."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A tab of an empty browser."""
    return new_context().new_page()


@pytest.fixture
def visitor(page: Page, site: LiveSite) -> Visitor:
    """Somebody in front of the site."""
    return Visitor(page, site.url)
