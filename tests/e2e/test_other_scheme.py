"""A second campaign with a scheme of its own, made through pages only: the loop is tied to no labels."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.site import Site

PageAs = Callable[..., Page]
SAMPLES = 4
ANSWERS: tuple[steps.Answers, ...] = (
    {"stance": "advises", "advice_fit": "offered"},
    {"stance": "listens"},
    {"stance": "explains", "advice_fit": "imposed"},
    {"stance": "other"},
)


@pytest.fixture
def campaign(site: Site, lead: Page, tmp_path: Path) -> steps.Campaign:
    """An open campaign with the scheme that the page offers to start from: two questions, one conditional."""

    def ask_own(page: Page) -> None:
        page.get_by_label("One of your own, below").check()
        page.get_by_text("A scheme of your own", exact=True).click()
        scheme = download(page, "a scheme with two questions", tmp_path)
        page.get_by_label("Scheme as a YAML or JSON file").set_input_files(scheme)
        page.get_by_text("A guideline of your own", exact=True).click()
        guideline = download(page, "the guideline to that scheme", tmp_path)
        page.get_by_label("Version of the guideline").fill("1.0")
        page.get_by_label("Guideline as a Markdown file").set_input_files(guideline)

    people = ["Anna Demo", "Bruno Demo"]
    return steps.open_campaign(site, lead, tmp_path, people, samples=SAMPLES, asks=ask_own)


def download(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as begun:
        page.get_by_role("link", name=name).click()
    path = folder / begun.value.suggested_filename
    begun.value.save_as(path)
    return path


def label_by_keys(page: Page, campaign: steps.Campaign, count: int) -> dict[int, steps.Answers]:
    """Label so many samples by keyboard; return the answers by sample."""
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    given = {}
    for answers in ANSWERS[:count]:
        given[steps.shown_number(page)] = answers
        steps.press_answers(page, answers)
        steps.press_and_go_on(page, "Enter")
    expect(page.locator("[data-status]")).to_have_text(steps.SAVED)
    return given


def test_two_people_label_by_another_scheme_and_the_lead_sees_its_questions(
    campaign: steps.Campaign, lead: Page, page_as: PageAs
) -> None:
    by_anna = label_by_keys(page_as("annotator"), campaign, 3)
    by_bruno = label_by_keys(page_as("annotator2"), campaign, 3)
    without_script = page_as("annotator2", java_script_enabled=False)
    steps.start_labelling(without_script, campaign.slug)
    by_bruno[steps.shown_number(without_script)] = ANSWERS[3]
    steps.label_one(without_script, {"stance": "other"})
    found: dict[str, dict[int, steps.Answers]] = {}
    for label in steps.labels_of(lead, campaign.slug):
        found.setdefault(label["annotator"], {})[label["sample"]] = label["answers"]
    assert sorted(found.values(), key=len) == [by_anna, by_bruno]
    lead.goto(f"/campaigns/{campaign.slug}/dashboard/")
    for title in ("Main stance", "How the advice is given"):
        expect(lead.get_by_role("main")).to_contain_text(title)


def test_the_second_question_is_asked_only_after_some_answers_to_the_first(
    campaign: steps.Campaign, page_as: PageAs
) -> None:
    page = page_as("annotator")
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    second = page.get_by_role("radiogroup", name="How the advice is given")
    expect(second).to_be_hidden()
    steps.press_answers(page, {"stance": "explains"})
    expect(second).to_be_visible()
    page.keyboard.press("k")
    steps.press_answers(page, {"stance": "asks"})
    expect(second).to_be_hidden()
