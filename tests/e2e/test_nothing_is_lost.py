"""Bad luck while labelling: whatever happens, each label is stored once, and the page says how it stands."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Dialog, Locator, Page, Route, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.conftest import MakeCampaign
from tests.e2e.site import Site

SAVES = re.compile(r"/api/v1/.*/label/$")
TRIES_LOST = 2
HOUR_MS = 3_600_000
AWAKE_SECONDS = 120  # a minute without a sign of life ends the attention that is counted
AN_HOUR_LATER = """
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from annotation.models import Assignment, Sitting
ago = timezone.now() - timedelta(hours=1)
Assignment.objects.filter(campaign__slug="{slug}", state="leased").update(leased_until=ago)
Sitting.objects.filter(campaign__slug="{slug}").update(last_seen_at=ago)
call_command("sweep")
assert not Assignment.objects.filter(campaign__slug="{slug}", state="leased").exists()
"""


@pytest.fixture
def annotator(page_as: Callable[..., Page]) -> Page:
    return page_as("annotator")


def begin(page: Page, campaign: steps.Campaign) -> None:
    """Put the first sample on screen, and two more into memory."""
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    steps.wait_for_two_ahead(page)


def label_by_key(page: Page, level: str) -> tuple[int, steps.Answers]:
    """Answer the sample on screen and press Enter; return its number and what was answered."""
    number, answers = steps.shown_number(page), GOOD_ANSWERS | {"crisis_confidence": level}
    steps.press_answers(page, answers)
    steps.press_and_go_on(page, "Enter")
    return number, answers


def status_of(page: Page) -> Locator:
    return page.locator("[data-status]")


def test_a_cut_network_stops_nobody_and_loses_nothing(
    annotator: Page, lead: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(5)
    begin(annotator, campaign)
    annotator.context.set_offline(True)
    given = dict(label_by_key(annotator, level) for level in "123")
    expect(status_of(annotator)).to_have_text("Offline, 3 waiting")
    expect(annotator.get_by_role("heading", name="The next sample is on its way")).to_be_visible()
    assert steps.standing_answers(lead, campaign.slug) == {}
    annotator.context.set_offline(False)
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given
    given |= [label_by_key(annotator, "4")]
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given
    assert len(steps.labels_of(lead, campaign.slug)) == len(given)


@pytest.mark.parametrize(
    ("bad_luck", "said"),
    [
        ("the request is lost", "Offline, 1 waiting"),
        ("the answer is lost", "Offline, 1 waiting"),
        ("the server is unwell", "Server not answering, 1 waiting"),
    ],
)
def test_a_save_without_an_answer_is_sent_again_under_the_same_key(
    annotator: Page, lead: Page, make_campaign: MakeCampaign, bad_luck: str, said: str
) -> None:
    campaign = make_campaign(4)
    begin(annotator, campaign)
    keys: list[str] = []

    def fail(route: Route) -> None:
        keys.append(json.loads(str(route.request.post_data))["key"])
        if len(keys) > TRIES_LOST:
            route.continue_()
        elif bad_luck == "the server is unwell":
            route.fulfill(status=503, body="")
        else:
            if bad_luck == "the answer is lost":
                route.fetch()  # the server has it
            route.abort()

    annotator.route(SAVES, fail)
    given = dict([label_by_key(annotator, "2")])
    expect(status_of(annotator)).to_have_text(said)
    expect(status_of(annotator)).to_have_text(steps.SAVED, timeout=15_000)
    assert len(keys) == TRIES_LOST + 1
    assert len({uuid.UUID(key) for key in keys}) == 1
    assert steps.standing_answers(lead, campaign.slug) == given
    assert len(steps.labels_of(lead, campaign.slug)) == 1


def test_an_undo_without_an_answer_is_done_once(
    annotator: Page, lead: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(4)
    begin(annotator, campaign)
    given = dict(label_by_key(annotator, level) for level in "12")
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    lost: list[bool] = []

    def lose(route: Route) -> None:
        if len(lost) == TRIES_LOST:
            return route.continue_()
        lost.append(route.fetch().ok)
        return route.abort()

    annotator.route("**/api/v1/**/undo/", lose)
    undone = list(given)[-1]
    annotator.keyboard.press("u")
    expect(steps.heading_of(annotator)).to_have_text(f"Sample {undone}", timeout=15_000)
    assert lost == [True, True]
    del given[undone]
    assert steps.standing_answers(lead, campaign.slug) == given


def test_three_saves_wait_while_a_signed_out_person_signs_in_again(
    annotator: Page, lead: Page, make_campaign: MakeCampaign, site: Site
) -> None:
    campaign = make_campaign(5)
    begin(annotator, campaign)
    annotator.context.set_offline(True)
    given = dict(label_by_key(annotator, level) for level in "123")
    annotator.context.clear_cookies(name=f"prometheus-{site.port}")
    annotator.context.set_offline(False)
    expect(status_of(annotator)).to_have_text("Signed out, 3 waiting")
    expect(annotator.get_by_role("alert")).to_contain_text("nothing is lost, 3 samples waiting here")
    assert steps.standing_answers(lead, campaign.slug) == {}
    token = csrf_token(annotator.context, site)
    with annotator.context.expect_page() as opened:
        annotator.get_by_role("button", name="Sign in").click()
    steps.sign_in_afresh(opened.value, site, "annotator")
    assert csrf_token(annotator.context, site) != token
    opened.value.close()
    annotator.bring_to_front()
    annotator.get_by_role("button", name="Try again").click()
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given
    assert len(steps.labels_of(lead, campaign.slug)) == len(given)
    given |= [label_by_key(annotator, "4")]
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given


def csrf_token(context: BrowserContext, site: Site) -> str:
    [token] = [one["value"] for one in context.cookies() if one["name"] == f"prometheus-csrf-{site.port}"]
    return str(token)


def test_of_two_tabs_one_wins_and_the_other_stops_and_says_so(
    annotator: Page, lead: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(4)
    begin(annotator, campaign)
    other = annotator.context.new_page()
    begin(other, campaign)
    number = steps.shown_number(annotator)
    assert steps.shown_number(other) == number
    given = dict([label_by_key(annotator, "1")])
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    label_by_key(other, "5")
    stopped = other.get_by_role("alert")
    expect(stopped).to_contain_text("Labelling has stopped here.")
    expect(stopped).to_contain_text(f"Sample {number}: You have labelled this sample already.")
    other.keyboard.press("s")  # nothing more is taken here
    assert steps.standing_answers(lead, campaign.slug) == given
    other.get_by_role("button", name="Reload and go on").click()
    steps.wait_for_script(other)
    assert steps.shown_number(other) != number
    given |= [label_by_key(other, "3")]
    expect(status_of(other)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given


def test_leaving_with_unsaved_work_warns_and_without_does_not(
    annotator: Page, lead: Page, make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(4)
    begin(annotator, campaign)
    warned: list[str] = []

    def stay(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.dismiss()

    annotator.on("dialog", stay)
    annotator.context.set_offline(True)
    given = dict([label_by_key(annotator, "2")])
    with annotator.expect_event("dialog"):
        annotator.close(run_before_unload=True)
    assert warned == ["beforeunload"]
    annotator.context.set_offline(False)
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    with annotator.expect_event("close"):
        annotator.close(run_before_unload=True)
    assert warned == ["beforeunload"]
    assert steps.standing_answers(lead, campaign.slug) == given


def test_a_computer_asleep_for_an_hour_goes_on_where_it_was(
    annotator: Page, lead: Page, make_campaign: MakeCampaign, site: Site
) -> None:
    campaign = make_campaign(4)
    annotator.clock.install()
    begin(annotator, campaign)
    number, answers = steps.shown_number(annotator), GOOD_ANSWERS | {"crisis_confidence": "2"}
    steps.press_answers(annotator, answers)
    annotator.clock.fast_forward(HOUR_MS)
    site.manage("shell", "-c", AN_HOUR_LATER.format(slug=campaign.slug))
    steps.press_and_go_on(annotator, "Enter")
    given = {number: answers} | dict(label_by_key(annotator, level) for level in "45")
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given
    seconds = [label["active_seconds"] for label in steps.labels_of(lead, campaign.slug)]
    assert max(seconds) < AWAKE_SECONDS


def test_a_clock_put_back_changes_nothing(annotator: Page, lead: Page, make_campaign: MakeCampaign) -> None:
    campaign = make_campaign(4)
    annotator.clock.install()
    begin(annotator, campaign)
    annotator.clock.set_system_time(datetime.now(UTC) - timedelta(days=1))
    given = dict(label_by_key(annotator, level) for level in "12")
    expect(status_of(annotator)).to_have_text(steps.SAVED)
    assert steps.standing_answers(lead, campaign.slug) == given
    for label in steps.labels_of(lead, campaign.slug):
        assert 0 <= label["active_seconds"] < AWAKE_SECONDS
        assert datetime.now(UTC) - datetime.fromisoformat(label["given_at"]) < timedelta(hours=1)
