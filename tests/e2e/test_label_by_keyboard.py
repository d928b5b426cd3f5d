"""The whole loop by keyboard alone, over a slow network: what was pressed is what the server has."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.conftest import MakeCampaign

LATENCY_MS = 120
CRISIS: dict[str, object] = {
    "crisis_intensity": "3",
    "crisis_possible_higher": True,
    "crisis_types": ["suicide", "substance_medical"],
    "suicidal_behaviour": "none",
    "modality_primary": "dbt",
    "modality_secondary": ["cbt"],
    "reply_safety": "fail",
}
COMMANDS = {"Enter", "S", "F", "U", "N", "G", "?", "O", "R"} | {
    "K ArrowUp",
    "J ArrowDown",
    "ArrowLeft",
    "ArrowRight",
}
TWO_PRESSES = """key => { for (const _ of [1, 2])
    document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})) }"""
CHOSEN = (
    "() => [...document.querySelectorAll('.question input:checked')].map(input => input.name + input.value)"
)

SitDown = Callable[[steps.Campaign], Page]


def answers_of(number: int) -> steps.Answers:
    """Return what is answered about a sample: a crisis here and there, levels that differ."""
    if number % 6 == 0:
        return GOOD_ANSWERS | CRISIS
    levels = {"crisis_confidence": str(1 + number % 5), "empathy_global": str(1 + number % 4)}
    return GOOD_ANSWERS | levels


@pytest.fixture
def sit_down(page_as: Callable[..., Page]) -> Iterator[SitDown]:
    """Return the first sample on the annotator's screen; in the end the browser has found no fault."""
    faults: list[str] = []

    def opened(campaign: steps.Campaign) -> Page:
        page = page_as("annotator")
        steps.watch(page, faults)
        steps.slow_down(page, LATENCY_MS)
        page.goto(campaign.label_page)
        steps.tab_to(page, "Start")
        page.keyboard.press("Enter")
        steps.wait_for_script(page)
        return page

    yield opened
    assert faults == []


def open_by_key(page: Page) -> None:
    """Uncover the text by its key where it is estimated severe."""
    if page.get_by_role("heading", name="Estimated severe").is_visible():
        page.keyboard.press("o")
    expect(page.locator(".turn:visible").first).to_be_visible()


def test_ten_samples_are_labelled_and_stored_as_pressed(
    make_campaign: MakeCampaign, sit_down: SitDown, lead: Page
) -> None:
    campaign = make_campaign(12, (2, 7))
    page = sit_down(campaign)
    pressed: dict[int, steps.Answers] = {}
    for _ in range(10):
        number = steps.shown_number(page)
        pressed[number] = answers_of(number)
        open_by_key(page)
        conversation = page.get_by_role("region", name="Conversation")
        expect(conversation).to_contain_text(campaign.sentences[number - 1])
        steps.press_answers(page, pressed[number])
        steps.press_and_go_on(page, "Enter")
    expect(page.locator("[data-status]")).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == pressed
    page.get_by_role("link", name="Your labels").click()
    expect(page.get_by_text("10 labels, newest first")).to_be_visible()


def test_a_text_estimated_severe_stays_on_the_server_until_it_is_opened(
    make_campaign: MakeCampaign, sit_down: SitDown
) -> None:
    campaign = make_campaign(3, (2,))
    page = sit_down(campaign)
    came: list[str] = []

    def read(route: Route) -> None:
        answer = route.fetch()
        came.append(answer.text())
        route.fulfill(response=answer)

    page.route(f"**/campaigns/{campaign.slug}/**", read)
    page.reload()
    steps.wait_for_two_ahead(page)
    while steps.shown_number(page) != 2:
        steps.press_and_go_on(page, "s")
    sentence = campaign.sentences[1]
    assert sentence not in page.content()
    assert sentence not in "".join(came)
    page.keyboard.press("o")
    expect(page.get_by_text(sentence)).to_be_visible()
    page.unroute_all(behavior="wait")  # a pass may be on its way yet
    assert sentence in "".join(came)
    expect(page.get_by_role("heading", name="Estimated severe")).to_be_hidden()


def test_each_key_does_what_it_says(make_campaign: MakeCampaign, sit_down: SitDown) -> None:
    page = sit_down(make_campaign(4))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page.get_by_role("dialog").get_by_role("heading", name="C1 ")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Half of it is missing")
    steps.tab_to(page, "Flag the sample")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Flagged. The lead will look at it.").first).to_be_visible()
    passed = steps.shown_number(page)
    steps.press_and_go_on(page, "s")
    expect(page.locator("[data-status]")).to_have_text(steps.PASSED)
    page.keyboard.press("u")
    expect(steps.heading_of(page)).to_have_text(f"Sample {passed}")


def test_every_key_has_a_button_in_sight(make_campaign: MakeCampaign, sit_down: SitDown) -> None:
    page = sit_down(make_campaign(1, (1,)))
    named = page.locator("[aria-keyshortcuts]:visible")
    assert {each.get_attribute("aria-keyshortcuts") for each in named.all()} == COMMANDS


def test_no_key_fires_while_somebody_writes(make_campaign: MakeCampaign, sit_down: SitDown) -> None:
    page = sit_down(make_campaign(2))
    heading = steps.heading_of(page).inner_text()
    page.keyboard.press("n")
    words = "0 sufgor?jk 3"
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Note")).to_have_value(f"{words}\n")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Note")).not_to_be_focused()
    expect(steps.heading_of(page)).to_have_text(heading)
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.evaluate(CHOSEN) == []


def test_keys_switched_off_do_nothing_until_they_are_switched_on(
    make_campaign: MakeCampaign, sit_down: SitDown
) -> None:
    page = sit_down(make_campaign(3))
    heading = steps.heading_of(page).inner_text()
    page.keyboard.press("?")
    page.get_by_role("switch").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    page.reload()  # this browser remembers
    steps.wait_for_script(page)
    expect(page.get_by_role("button", name="Keys are off")).to_be_visible()
    for key in ("0", "3", "s", "f", "g", "n", "?", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(steps.heading_of(page)).to_have_text(heading)
    assert page.evaluate(CHOSEN) == []
    steps.tab_to(page, "Keys are off")
    page.keyboard.press("Enter")
    page.get_by_role("switch").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    steps.press_and_go_on(page, "s")


def test_a_label_is_undone_changed_and_saved_again(
    make_campaign: MakeCampaign, sit_down: SitDown, lead: Page
) -> None:
    campaign = make_campaign(3)
    page = sit_down(campaign)
    number = steps.shown_number(page)
    first = GOOD_ANSWERS | CRISIS
    steps.press_answers(page, first)
    page.keyboard.press("n")
    page.keyboard.type("The second turn decided it.")
    page.keyboard.press("Escape")
    steps.press_and_go_on(page, "Enter")
    expect(page.locator("[data-status]")).to_have_text(steps.SAVED)
    page.keyboard.press("u")
    expect(steps.heading_of(page)).to_have_text(f"Sample {number}")
    expect(page.get_by_label("Note")).to_have_value("The second turn decided it.")
    again = first | {"crisis_intensity": "4", "reply_safety": "pass"}
    expect(page.locator('[name="answer-crisis_intensity"][value="3"]')).to_be_checked()
    steps.press_answers(page, {"crisis_intensity": "4", "reply_safety": "pass"})
    steps.press_and_go_on(page, "Enter")
    expect(page.locator("[data-status]")).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == {number: again}
    given = steps.labels_of(lead, campaign.slug)
    assert [label["is_undone"] for label in given] == [True, False]


def test_a_second_press_right_after_the_first_is_a_slip(
    make_campaign: MakeCampaign, sit_down: SitDown
) -> None:
    page = sit_down(make_campaign(3))
    steps.wait_for_two_ahead(page)
    page.wait_for_timeout(steps.SLIP_MS)
    page.evaluate(TWO_PRESSES, "s")
    expect(page.locator("[data-status]")).to_have_text(steps.PASSED)
    expect(page.locator("[data-labelled]")).to_have_text("0 of 2")
