"""Active time counts while one labels, in one tab or two, and not while nobody is there."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import MakeCampaign
from tests.e2e.site import Site

BEAT_MS = 46_000
HOURS_LINE = "[data-hours-line]"
_SECONDS_SINCE_THE_LAST_BEAT = """
from django.utils import timezone
from annotation.models import Heartbeat
beat = Heartbeat.objects.filter(person__email="annotator3@demo.localhost").order_by("-ended_at").first()
print((timezone.now() - beat.ended_at).total_seconds() if beat else 1e9)
"""


def counted(page: Page, campaign: steps.Campaign) -> int:
    """Return the seconds that count of this month."""
    hours = page.request.get(f"/api/v1/campaigns/{campaign.slug}/hours/").json()
    return int(hours["seconds_this_month"])


def work(page: Page, campaign: steps.Campaign) -> float:
    """Be active until the next heartbeat, and return what it counted."""
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    expect(page.locator(HOURS_LINE)).to_be_visible()  # a request on its way would be given up after 20 s
    page.keyboard.press("j")
    with page.expect_response("**/beat/") as answered:
        page.clock.run_for(BEAT_MS)
    return float(answered.value.json()["counted_seconds"])


def test_two_tabs_count_the_time_once(
    site: Site, lead: Page, page_as: Callable[..., Page], tmp_path: Path
) -> None:
    campaign = steps.open_campaign(site, lead, tmp_path, ["Chiara Demo"], samples=4)
    # A stretch begins where the person's last one ended, and another test may have kept her busy just now.
    rested = float(site.manage("shell", "-v", "0", "-c", _SECONDS_SINCE_THE_LAST_BEAT))
    first = page_as("annotator3")
    first.wait_for_timeout(max(0, BEAT_MS - 1000 * rested))
    second = first.context.new_page()
    for page in (first, second):
        page.clock.install()
    began = first.evaluate("Date.now()")
    assert work(first, campaign) >= BEAT_MS / 1000 - 2
    passed_really = second.evaluate("Date.now()") - began
    assert work(second, campaign) < BEAT_MS / 1000
    total = counted(first, campaign)
    assert BEAT_MS / 1000 - 2 <= total < BEAT_MS / 1000 + passed_really / 1000 + BEAT_MS / 2000


def test_hours_that_were_not_told_are_asked_for_again_after_a_heartbeat(
    page_as: Callable[..., Page], make_campaign: MakeCampaign
) -> None:
    page = page_as("annotator")
    page.clock.install()
    page.route("**/hours/", lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/hours/")):
        steps.start_labelling(page, make_campaign(4).slug)
    steps.wait_for_script(page)
    expect(page.locator(HOURS_LINE)).to_be_hidden()
    page.keyboard.press("j")
    with page.expect_response("**/beat/"):
        page.clock.run_for(BEAT_MS)
    expect(page.locator(HOURS_LINE)).to_be_visible()


def test_what_was_worked_without_a_network_is_claimed_at_once_when_it_is_back(
    page_as: Callable[..., Page], make_campaign: MakeCampaign
) -> None:
    """One heartbeat, as the server lets a second one reach back no further than the end of the first."""
    page, beats = page_as("annotator"), 4
    page.clock.install()
    steps.start_labelling(page, make_campaign(4).slug)
    steps.wait_for_script(page)
    page.context.set_offline(True)
    for _ in range(beats):
        page.keyboard.press("j")
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/beat/")):
            page.clock.run_for(BEAT_MS)
    page.context.set_offline(False)
    page.keyboard.press("j")
    with page.expect_response("**/beat/") as answered:
        page.clock.run_for(BEAT_MS)
    claimed = answered.value.request.post_data_json
    assert claimed
    assert claimed["active_seconds"] >= (beats + 1) * BEAT_MS / 1000 - 5


def test_nobody_there_counts_a_minute_at_most(
    page_as: Callable[..., Page], make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(4)
    page = page_as("annotator")
    page.clock.install()
    claimed: list[int] = []
    page.on(
        "request",
        lambda request: (
            claimed.append(request.post_data_json["active_seconds"])
            if request.url.endswith("/beat/") and request.post_data_json
            else None
        ),
    )
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    page.context.set_offline(True)  # what was not answered is claimed again: the last claim holds all of it
    page.keyboard.press("j")
    for _ in range(20):
        page.clock.run_for(BEAT_MS)
    assert claimed
    assert claimed[-1] <= 75
