"""What stands between a measured campaign and its target, in every look, and from its cause to a sample."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.looking import faults_of, looking
from tests.e2e.pages import Shown
from tests.e2e.people import People
from tests.e2e.site import Site

ADDRESS = "/campaigns/leaning/agreement/obstacles/"


@pytest.fixture(scope="module", autouse=True)
def leaning(site: Site, browser: Browser) -> None:
    """A campaign in which the first of three simulated clinicians reads a level higher."""
    script = ("--annotators", "3", "--samples", "90", "--anchors", "90", "--fault", "biased:1")
    site.manage("rehearse_campaign", *script, "--slug", "leaning")


def test_it_can_be_read_in_every_look(people: People) -> None:
    with looking(people, "lead") as context:
        page = context.new_page()
        for address in (ADDRESS, f"{ADDRESS}samples/?dimension=modality_primary"):
            assert list(faults_of(page, Shown("annotation:obstacles", "lead", address))) == []


def test_from_the_first_cause_to_the_labels_of_a_sample(lead: Page) -> None:
    lead.goto(ADDRESS)
    first = lead.get_by_role("heading", name="Start here").locator("..")
    expect(first).to_contain_text("differs from the others more than they do among themselves")
    first.get_by_role("button", name="See the").click()
    lead.locator("[data-row] a").first.click()
    expect(lead.get_by_role("heading", name="Sample", level=1)).to_be_visible()
