"""A stranger applies, confirms, passes the quiz; the lead's board follows, without a mail server."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import recruiting, steps
from tests.e2e.looking import Album
from tests.e2e.site import Site

PageAs = Callable[..., Page]
SAVED = re.compile(r"^Saved \d")
EMAIL = "mara@clinic.example"


def make_recruiting(lead: Page, name: str) -> str:
    slug = name.lower()
    steps.make_campaign(lead, name, slug)
    recruiting.open_recruiting(lead, slug)
    return slug


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Return what finds no fault with a page that only its applicant sees, in every look."""
    return Album("annotation-applicant", bool(request.config.getoption("--take-screenshots"))).look


def test_from_the_public_page_to_the_board(
    site: Site, page_as: PageAs, tmp_path: Path, look: Callable[[Page, str], None]
) -> None:
    lead, stranger = page_as("lead"), page_as("")
    slug = make_recruiting(lead, "Harbour")
    recruiting.begin(stranger, slug, EMAIL)
    recruiting.fill_in(stranger, tmp_path)
    expect(stranger.get_by_text(SAVED)).to_be_visible()  # by itself
    look(stranger, "form")
    recruiting.send(stranger)
    site.manage("sweep")
    recruiting.confirm(stranger, recruiting.hand_over(lead, slug))
    recruiting.move(lead, slug, "screening", "Nine years of crisis work.")
    stranger.reload()
    look(stranger, "status")
    stranger.get_by_role("button", name="To the quiz").click()
    look(stranger, "before-the-quiz")
    stranger.get_by_role("button", name="Begin").click()
    recruiting.answer_right(stranger)
    expect(stranger.get_by_role("heading", name="Question 2 of 15")).to_be_visible()
    look(stranger, "question")
    stranger.go_back()
    expect(stranger.locator("input[name=chosen]:checked")).to_have_count(1)
    for number in range(1, 16):
        expect(stranger.get_by_role("heading", name=f"Question {number} of 15")).to_be_visible()
        recruiting.answer_right(stranger)
    stranger.get_by_role("button", name="Finish the quiz").click()
    expect(stranger.get_by_text("Passed.")).to_be_visible()
    look(stranger, "quiz-passed")
    lead.goto(f"/campaigns/{slug}/recruiting/?stage=calibration")
    expect(lead.get_by_role("link", name="Mara Licht")).to_be_visible()
    expect(lead.get_by_text("1 of 1 who ended the quiz")).to_be_visible()


def test_a_form_is_saved_and_sent_without_javascript(page_as: PageAs, tmp_path: Path) -> None:
    lead, stranger = page_as("lead"), page_as("", java_script_enabled=False)
    slug = make_recruiting(lead, "Inlet")
    address = recruiting.begin(stranger, slug, EMAIL)
    stranger.get_by_label("Your name").fill("Mara Licht")
    stranger.get_by_role("button", name="Save").click()
    expect(stranger.get_by_text("Saved. You can close this page")).to_be_visible()
    elsewhere = page_as("", java_script_enabled=False)
    elsewhere.goto(address)
    expect(elsewhere.get_by_text("Mara")).to_have_count(0)
    elsewhere.get_by_label("The e-mail address you applied with").fill(EMAIL)
    elsewhere.get_by_role("button", name="Open my application").click()
    expect(elsewhere.get_by_label("Your name")).to_have_value("Mara Licht")
    recruiting.fill_in(elsewhere, tmp_path)
    recruiting.send(elsewhere)


def test_an_offline_form_keeps_its_words_and_saves_them_later(page_as: PageAs) -> None:
    lead, stranger = page_as("lead"), page_as("")
    slug = make_recruiting(lead, "Lagoon")
    recruiting.begin(stranger, slug, EMAIL)
    stranger.context.set_offline(True)
    stranger.get_by_label("Your name").fill("Mara Licht")
    expect(stranger.get_by_text("No network.")).to_be_visible()
    stranger.context.set_offline(False)
    expect(stranger.get_by_text(SAVED)).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_label("Your name")).to_have_value("Mara Licht")
