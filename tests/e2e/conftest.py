"""A running site, a real browser, and people who sign in with their second factor."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.e2e import steps
from tests.e2e.people import People
from tests.e2e.site import Site, running_site, site_folder

MakeCampaign = Callable[..., steps.Campaign]
CHROMIUM_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOWN_WITHIN_MS = 20_000  # on a slow machine that does something else, too


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """One site for all browser tests; each works in campaigns of its own."""
    with site_folder() as folder, running_site(folder) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=SHOWN_WITHIN_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    flags = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    yield started
    started.close()


@pytest.fixture(scope="session")
def people(site: Site, browser: Browser) -> People:
    return People(site, browser)


@pytest.fixture
def page_as(people: People) -> Iterator[Callable[..., Page]]:
    """Return a page of a browser in which that demo person is signed in."""
    contexts: list[BrowserContext] = []

    def open_page(name: str, **options: object) -> Page:
        context = people.context(name, **options)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def lead(page_as: Callable[..., Page]) -> Page:
    return page_as("lead")


@pytest.fixture
def make_campaign(site: Site, lead: Page, tmp_path: Path) -> MakeCampaign:
    """Return a maker of open campaigns, by number of samples, with one annotator in them.

    Files share a site, and so the limits of care: whoever opens severe texts in several has none left.
    """

    def make(samples: int, severe: Sequence[int] = (), who: str = "Anna Demo") -> steps.Campaign:
        return steps.open_campaign(site, lead, tmp_path, [who], samples=samples, severe=severe)

    return make
