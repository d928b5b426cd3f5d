"""The agreement page of a measured campaign in every look; a label that reaches an open page by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import steps
from tests.e2e.looking import faults_of, looking
from tests.e2e.pages import ANSWERS, Shown
from tests.e2e.people import People
from tests.e2e.site import Site

SEEN_WITHIN_MS = 10_000  # on a machine that does other things as well


@pytest.fixture(scope="module")
def rehearsed(site: Site, browser: Browser) -> str:
    """Return the slug of a campaign whose three simulated clinicians have labelled everything."""
    site.manage("rehearse_campaign", "--annotators", "3", "--samples", "90", "--slug", "measured")
    return "measured"


def test_every_figure_can_be_read_in_every_look(rehearsed: str, people: People) -> None:
    with looking(people, "lead") as context:
        page = context.new_page()
        for dimension in ("crisis_intensity", "modality_primary"):
            address = f"/campaigns/{rehearsed}/agreement/?dimension={dimension}"
            assert list(faults_of(page, Shown("annotation:agreement", "lead", address))) == []
            expect(page.locator("[data-course] canvas")).to_be_visible()


def test_a_label_that_locks_changes_the_open_page(
    site: Site, lead: Page, page_as: Callable[..., Page], tmp_path: Path
) -> None:
    names = ["Anna Demo", "Bruno Demo"]
    campaign = steps.open_campaign(site, lead, tmp_path, names, samples=3)
    _label_and_leave(page_as("annotator"), campaign)
    lead.goto(f"/campaigns/{campaign.slug}/agreement/")
    expect(lead.get_by_text("Live", exact=True)).to_be_visible(timeout=SEEN_WITHIN_MS)
    items = lead.locator("#figure-overlap-items-crisis_intensity")
    expect(items).to_have_text("0")
    lead.evaluate("window.wasHereBefore = true")
    _label_and_leave(page_as("annotator2"), campaign)
    expect(items).not_to_have_text("0", timeout=SEEN_WITHIN_MS)
    assert lead.evaluate("window.wasHereBefore"), "without a reload"


def _label_and_leave(page: Page, campaign: steps.Campaign) -> None:
    """Label all but the last sample, so that two people have labelled one in common; leaving locks them."""
    steps.start_labelling(page, campaign.slug)
    for _ in campaign.sentences[:-1]:
        steps.label_one(page, ANSWERS)
    page.get_by_role("button", name="Leave", exact=True).click()
    page.wait_for_url("/")
