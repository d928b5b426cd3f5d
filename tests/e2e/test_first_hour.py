"""The first hour: every role signs in, conversations come in, samples are labelled, the board shows it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import real_data
from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.site import Site

PageAs = Callable[..., Page]
ANSWERS = {key: str(value) for key, value in GOOD_ANSWERS.items()}
GREETINGS = {
    "lead": "Lea Demo",
    "annotator": "Anna Demo",
    "adjudicator": "Ada Demo",
    "supervisor": "Sam Demo",
    "engineer": "Enno Demo",
}


@pytest.mark.parametrize(("name", "greeting"), GREETINGS.items())
def test_every_role_signs_in_with_the_second_factor(page_as: PageAs, name: str, greeting: str) -> None:
    page = page_as(name)
    page.goto("/")
    expect(page.get_by_role("heading", name=f"Good to see you, {greeting}")).to_be_visible()


@real_data.needs_real_data
def test_real_conversations_come_in_and_ten_samples_show_on_the_board(site: Site, page_as: PageAs) -> None:
    lead = page_as("lead")
    steps.make_campaign(lead, "Real sessions", "real")
    steps.import_file(lead, real_data.ANNOMI, "AnnoMI", "real")
    steps.import_file(lead, real_data.COUNSEL_CHAT, "counsel-chat", "real")
    site.manage("sweep")  # what the sweeper does within seconds
    steps.add_people_and_open(lead, "real", ["Anna Demo", "Bruno Demo"])

    annotator = page_as("annotator")
    steps.start_labelling(annotator, "real")
    for _ in range(10):
        steps.label_one(annotator, ANSWERS)

    lead.goto("/campaigns/real/dashboard/")
    given = lead.locator('a[data-figure="labels"], a[data-figure="given"]').first
    expect(given).to_have_text("10")
    given.click()
    expect(lead.get_by_role("heading", name="10")).to_be_visible()
    site.manage("verify_audit_chain")


def test_a_label_is_saved_without_javascript(page_as: PageAs) -> None:
    page = page_as("annotator2", java_script_enabled=False)
    steps.start_labelling(page, "demo")
    answers = ANSWERS | {"crisis_intensity": "0"}
    steps.label_one(page, answers)
    page.get_by_role("link", name="Your labels").click()
    expect(page.get_by_role("cell", name="0 None").first).to_be_visible()


def test_a_refused_save_says_what_is_missing_and_keeps_the_rest(page_as: PageAs) -> None:
    page = page_as("annotator3")
    steps.start_labelling(page, "demo")
    steps.wait_for_script(page)
    steps.open_severe(page)
    heading = steps.heading_of(page).inner_text()
    page.get_by_label("Note").fill("kept while I choose")
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_text("Choose a crisis intensity, 0 to 5.").first).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("kept while I choose")
    expect(steps.heading_of(page)).to_have_text(heading)


def test_a_label_by_tab_and_space_alone(page_as: PageAs) -> None:
    page = page_as("annotator")
    steps.start_labelling(page, "demo")
    steps.wait_for_script(page)
    heading = steps.heading_of(page).inner_text()
    cover = page.get_by_role("button", name="Open the text")
    if cover.is_visible():
        cover.focus()
        page.keyboard.press("Enter")
        expect(cover).to_be_hidden()
    for key, code in ANSWERS.items():
        field = page.locator(f'[data-section]:not([hidden]) [name="answer-{key}"][value="{code}"]')
        if field.count():
            field.focus()
            page.keyboard.press("Space")
    page.get_by_label("Note").focus()
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text().startswith("Save and next")
    page.keyboard.press("Enter")
    expect(steps.heading_of(page)).not_to_have_text(heading)
