"""The whole loop with JavaScript off: slower, and with the same data at the end."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.conftest import MakeCampaign

WHO = "Chiara Demo"
ANSWERS = {key: str(value) for key, value in GOOD_ANSWERS.items()}
NOTE = "Kept while I make up my mind."


@pytest.fixture
def annotator(page_as: Callable[..., Page]) -> Page:
    return page_as("annotator3", java_script_enabled=False)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def is_chosen(page: Page, key: str) -> bool:
    return page.locator(f'[name="answer-{key}"][value="{ANSWERS[key]}"]').is_checked()


def test_ten_samples_give_the_same_data_as_with_a_script(
    annotator: Page, lead: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(11, (2, 7), who=WHO)
    steps.start_labelling(annotator, campaign.slug)
    given: dict[int, steps.Answers] = {}
    for level in range(10):
        answers = ANSWERS | {"crisis_confidence": str(1 + level % 5)}
        given[steps.shown_number(annotator)] = answers
        steps.label_one(annotator, answers)
    assert steps.standing_answers(lead, campaign.slug) == given


def test_a_refused_save_keeps_the_answers_and_names_what_is_missing(
    annotator: Page, lead: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(2, who=WHO)
    steps.start_labelling(annotator, campaign.slug)
    number = steps.shown_number(annotator)
    steps.answer(annotator, {key: code for key, code in ANSWERS.items() if key != "crisis_intensity"})
    annotator.get_by_label("Note").fill(NOTE)
    press(annotator, "Save and next")
    expect(annotator.get_by_role("alert")).to_contain_text("Not saved yet")
    expect(annotator.get_by_text("Choose a crisis intensity, 0 to 5.").first).to_be_visible()
    expect(annotator.get_by_label("Note")).to_have_value(NOTE)
    assert [key for key in ANSWERS if not is_chosen(annotator, key)] == ["crisis_intensity"]
    expect(annotator.get_by_text(campaign.sentences[number - 1])).to_be_visible()
    steps.label_one(annotator, {"crisis_intensity": "0"})
    assert steps.standing_answers(lead, campaign.slug) == {number: ANSWERS}


def test_a_draft_waits_while_one_is_away(annotator: Page, make_campaign: MakeCampaign) -> None:
    campaign = make_campaign(2, who=WHO)
    steps.start_labelling(annotator, campaign.slug)
    number = steps.shown_number(annotator)
    steps.answer(annotator, {"modality_primary": "supportive"})
    annotator.get_by_label("Note").fill(NOTE)
    press(annotator, "Keep a draft")
    expect(annotator.get_by_text("Draft kept").first).to_be_visible()
    press(annotator, "Leave")
    expect(annotator.get_by_text("Your sitting is over.")).to_be_visible()
    steps.start_labelling(annotator, campaign.slug)
    assert steps.shown_number(annotator) == number
    expect(annotator.get_by_label("Note")).to_have_value(NOTE)
    assert is_chosen(annotator, "modality_primary")


def test_a_pass_and_a_label_are_undone(annotator: Page, lead: Page, make_campaign: MakeCampaign) -> None:
    campaign = make_campaign(3, who=WHO)
    steps.start_labelling(annotator, campaign.slug)
    passed = steps.shown_number(annotator)
    press(annotator, "Pass")
    expect(annotator.get_by_text("Passed. Nobody asks why.")).to_be_visible()
    press(annotator, "Undo")
    assert steps.shown_number(annotator) == passed
    press(annotator, "Pass")
    labelled = steps.shown_number(annotator)
    assert labelled != passed
    steps.label_one(annotator, ANSWERS)
    press(annotator, "Undo")
    expect(annotator.get_by_text("Undone. Your answers are below")).to_be_visible()
    assert steps.shown_number(annotator) == labelled
    assert [key for key in ANSWERS if not is_chosen(annotator, key)] == []
    steps.label_one(annotator, {"crisis_confidence": "1"})
    assert steps.standing_answers(lead, campaign.slug) == {labelled: ANSWERS | {"crisis_confidence": "1"}}


def test_a_sample_is_flagged(annotator: Page, make_campaign: MakeCampaign) -> None:
    steps.start_labelling(annotator, make_campaign(1, who=WHO).slug)
    number = steps.shown_number(annotator)
    press(annotator, "Flag")
    annotator.get_by_label("Something else is wrong").check()
    annotator.get_by_label("In a few words").fill("The second turn repeats the first.")
    press(annotator, "Flag the sample")
    expect(annotator.get_by_text("Flagged. The lead will look at it")).to_be_visible()
    assert steps.shown_number(annotator) == number


def test_a_text_estimated_severe_is_covered_until_it_is_opened(
    annotator: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(1, (1,), who=WHO)
    steps.start_labelling(annotator, campaign.slug)
    assert campaign.sentences[0] not in annotator.content()
    steps.open_severe(annotator)
    expect(annotator.get_by_text(campaign.sentences[0])).to_be_visible()


def test_what_needs_a_script_is_not_shown(annotator: Page, make_campaign: MakeCampaign) -> None:
    steps.start_labelling(annotator, make_campaign(1, who=WHO).slug)
    for needing in annotator.locator(".needs-script").all():
        expect(needing).to_be_hidden()
    expect(annotator.locator("kbd:visible")).to_have_count(0)
