"""Every part of the running site is killed hard: it comes back, and what was acknowledged is there."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.people import People
from tests.e2e.site import Site, running_site, site_folder, wait_for

pytestmark = pytest.mark.fault
ANSWERS = {key: str(value) for key, value in GOOD_ANSWERS.items()}
PARTS = {
    "postgres": "bin/postgres -D",
    "redis": "redis-server",
    "web": "prometheus_site.wsgi",
    "streams": "prometheus_site.asgi",
    "worker": "celery",
    "sweeper": "sweep --forever",
}


@pytest.fixture(scope="module")
def own_site() -> Iterator[Site]:
    """A site of its own: the others must not feel the kills."""
    with site_folder() as folder, running_site(folder) as running:
        yield running


@pytest.fixture(scope="module")
def annotator(own_site: Site, browser: Browser) -> Iterator[Page]:
    context = People(own_site, browser).context("annotator")
    yield context.new_page()
    context.close()


def receipts(page: Page) -> set[str]:
    """Return the receipts of every label the person finds in the own list."""
    page.goto("/campaigns/demo/labels/")
    links = page.get_by_role("link", name=re.compile("Open your label"))
    return {str(link.get_attribute("href")) for link in links.all()}


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_and_nothing_is_lost(own_site: Site, annotator: Page, part: str) -> None:
    steps.start_labelling(annotator, "demo")
    steps.label_one(annotator, ANSWERS)
    acknowledged = receipts(annotator)
    victims = own_site.part(PARTS[part])
    restarts = own_site.output.count("started again")
    os.kill(victims[0].pid, signal.SIGKILL)
    wait_for(
        lambda: own_site.output.count("started again") > restarts, f"{part} to be started again", own_site
    )
    own_site.wait_until_healthy()
    wait_for(
        lambda: own_site.part(PARTS[part]) and own_site.part(PARTS[part])[0].pid != victims[0].pid,
        part,
        own_site,
    )
    assert receipts(annotator) == acknowledged
    steps.start_labelling(annotator, "demo")
    steps.label_one(annotator, ANSWERS)
    assert len(receipts(annotator)) == len(acknowledged) + 1
    own_site.manage("verify_audit_chain")


@pytest.fixture
def folder() -> Iterator[Path]:
    with site_folder() as made:
        yield made


def test_the_whole_site_killed_starts_again_with_everything(folder: Path, browser: Browser) -> None:
    with running_site(folder) as first:
        people = People(first, browser)
        with people.context("annotator") as context:
            page = context.new_page()
            steps.start_labelling(page, "demo")
            steps.label_one(page, ANSWERS)
            before = receipts(page)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(30)
    (folder / "up.log").write_text("")
    with running_site(folder, first.port) as second, people.context("annotator") as context:
        page = context.new_page()  # still signed in: sessions are kept as well
        assert receipts(page) == before
        expect(page.get_by_text("1 label, newest first")).to_be_visible()
        second.manage("verify_audit_chain")
