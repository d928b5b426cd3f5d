"""A lead has samples selected by the site's own worker: the page turns by itself, or without a script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.datasets_app.selection.making import verified_dataset
from tests.e2e import steps
from tests.e2e.site import Site

WITHIN_MS = 60_000
SIZES = {"suicidality": 40, "grief_complicated": 30, "": 60}


def ask_for(page: Page, slug: str, samples: int) -> None:
    page.goto(f"/campaigns/{slug}/selection/")
    page.get_by_label("Samples", exact=True).fill(str(samples))
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.get_by_role("heading", name=f"Selecting {samples} samples")).to_be_visible()


def refresh_until(page: Page, words: str) -> None:
    """Press the link as a person without a script does, as long as there is one."""
    refresh, said = page.get_by_role("link", name="Refresh"), page.get_by_text(words)
    for _ in range(WITHIN_MS // 500):
        expect(refresh.or_(said).first).to_be_visible()
        if said.is_visible():
            break
        refresh.click()
        page.wait_for_timeout(500)
    expect(said).to_be_visible()


@pytest.fixture
def scriptless(page_as: Callable[..., Page]) -> Page:
    return page_as("lead", java_script_enabled=False)


def test_a_lead_selects_with_and_without_a_script(site: Site, lead: Page, scriptless: Page) -> None:
    for slug in ("by-script", "by-hand"):
        steps.make_campaign(lead, f"Campaign {slug}", slug)

    ask_for(lead, "by-script", 40)
    expect(lead.get_by_text("This installation has no verified dataset.")).to_be_visible(timeout=WITHIN_MS)

    workspace = site.home / "phase1"
    workspace.mkdir(exist_ok=True)
    verified_dataset(workspace, SIZES)
    lead.get_by_text("Run again", exact=True).click()
    lead.get_by_role("button", name="Run it again").click()
    expect(lead.get_by_text("40 samples picked from")).to_be_visible(timeout=WITHIN_MS)
    expect(lead.get_by_role("heading", name="In numbers")).to_be_visible()

    ask_for(scriptless, "by-hand", 30)
    refresh_until(scriptless, "30 samples picked from")
