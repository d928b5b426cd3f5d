"""After labelling, and after signing out, the browser holds nothing of what was read and written."""

from collections.abc import Callable

from playwright.sync_api import Page, Response, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.conftest import MakeCampaign
from tests.e2e.people import People
from tests.e2e.site import Site

NOTE = "The fourth stair creaked before the answer came."
KEPT_KEYS = ["labelling-keys", "theme"]  # whether keys are used on this computer, and its look
STORED = """async () => ({
    local: Object.keys(localStorage).sort(),
    session: Object.entries(sessionStorage).filter(([key, value]) =>
        key !== "htmx-current-path-for-history" || value !== location.pathname + location.search),
    databases: (await indexedDB.databases()).map(({name}) => name),
    caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING_STORED = {"session": [], "databases": [], "caches": [], "workers": 0}


def memory_of(page: Page) -> str:
    """Return everything that the scripts of this tab can still reach, as text."""
    profiler = page.context.new_cdp_session(page)
    pieces: list[str] = []
    profiler.on("HeapProfiler.addHeapSnapshotChunk", lambda event: pieces.append(event["chunk"]))
    profiler.send("HeapProfiler.collectGarbage")
    profiler.send("HeapProfiler.takeHeapSnapshot")
    profiler.detach()
    return "".join(pieces)


def left_of(campaign: steps.Campaign, where: str) -> list[str]:
    """Return the sentences of the campaign's samples, and of the note, that stand somewhere."""
    return [sentence for sentence in (*campaign.sentences, NOTE) if sentence in where]


def label_two(page: Page, campaign: steps.Campaign) -> None:
    """Label a sample with a note, another one without, and begin a third."""
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    steps.wait_for_two_ahead(page)
    page.get_by_label("Note").fill(NOTE)
    page.keyboard.press("Escape")
    for _ in range(2):
        steps.press_answers(page, GOOD_ANSWERS)
        steps.press_and_go_on(page, "Enter")
    expect(page.locator("[data-status]")).to_have_text(steps.SAVED)
    steps.wait_for_two_ahead(page)
    page.get_by_label("Note").fill(NOTE)
    page.keyboard.press("Escape")


def test_storage_keeps_the_look_and_the_keys_switch_only(
    page_as: Callable[..., Page], make_campaign: MakeCampaign
) -> None:
    page = page_as("annotator")
    label_two(page, make_campaign(6))
    page.get_by_role("button", name="Theme").click()
    page.keyboard.press("?")
    page.get_by_role("switch").uncheck()
    page.keyboard.press("Escape")
    assert page.evaluate(STORED) == NOTHING_STORED | {"local": KEPT_KEYS}


def test_no_text_is_in_memory_after_leaving_the_labelling_page(
    page_as: Callable[..., Page], make_campaign: MakeCampaign
) -> None:
    page, campaign = page_as("annotator"), make_campaign(6)
    label_two(page, campaign)
    assert len(left_of(campaign, memory_of(page))) >= 3  # the sample on screen, two ahead
    page.get_by_role("link", name="Your labels").click()
    expect(page.get_by_role("heading", name="Your labels")).to_be_visible()
    assert left_of(campaign, memory_of(page)) == []


def test_nothing_is_left_after_signing_out(people: People, site: Site, make_campaign: MakeCampaign) -> None:
    campaign = make_campaign(6)
    with people.context("") as context:
        page = context.new_page()
        steps.sign_in_afresh(page, site, "annotator")  # a session of its own, because it ends here
        label_two(page, campaign)
        assert left_of(campaign, page.content()) != []
        page.locator(".account-menu summary").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert left_of(campaign, memory_of(page)) == []
        assert page.evaluate(STORED) == NOTHING_STORED | {"local": []}
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert left_of(campaign, page.content() + memory_of(page)) == []


def label_pass_and_open(page: Page) -> None:
    """Label a sample, pass one and open the severe one, in whatever order they come."""
    keys, is_opened = ["Enter", "s"], False
    while keys or not is_opened:
        if page.get_by_role("heading", name="Estimated severe").is_visible():
            steps.open_severe(page)
            is_opened = True
        if keys == ["Enter", "s"]:
            steps.press_answers(page, GOOD_ANSWERS)
        if keys or not is_opened:
            steps.press_and_go_on(page, keys.pop(0) if keys else "s")


def test_the_browser_may_keep_no_answer(page_as: Callable[..., Page], make_campaign: MakeCampaign) -> None:
    page, campaign = page_as("annotator2"), make_campaign(6, (2,), who="Bruno Demo")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    steps.start_labelling(page, campaign.slug)
    steps.wait_for_script(page)
    label_pass_and_open(page)
    page.get_by_label("Note").fill(NOTE)
    page.keyboard.press("Escape")
    expect(page.get_by_text("Draft kept")).to_be_visible()
    heading = steps.heading_of(page).inner_text()
    page.keyboard.press("u")
    expect(steps.heading_of(page)).not_to_have_text(heading)
    page.keyboard.press("f")
    page.get_by_label("Something else is wrong").check()
    page.get_by_role("button", name="Flag the sample").click()
    expect(page.get_by_text("Flagged.").first).to_be_visible()
    page.get_by_role("link", name="Your labels").click()
    page.get_by_role("link", name="Open your label").first.click()
    expect(page.get_by_role("heading", name="Your label of sample")).to_be_visible()
    said = [answer for answer in answers if "/static/" not in answer.url]
    asked = {answer.url.rstrip("/").rsplit("/", 1)[-1] for answer in said}
    assert asked >= {"next", "label", "pass", "open", "draft", "undo", "flag", "labels"}
    assert [answer.url for answer in said if "no-store" not in answer.headers.get("cache-control", "")] == []


def test_a_refusal_of_the_api_may_not_be_kept_either(
    page_as: Callable[..., Page], make_campaign: MakeCampaign
) -> None:
    campaign = make_campaign(1)
    api, here = f"/api/v1/campaigns/{campaign.slug}", f"/campaigns/{campaign.slug}/label/"
    annotator, stranger = page_as("annotator"), page_as("")
    annotator.goto(here)
    [token] = [one["value"] for one in annotator.context.cookies() if "csrf" in one["name"]]
    headers = {"X-CSRFToken": token, "Referer": annotator.url}
    refused = [
        stranger.request.get(f"{api}/progress/"),
        annotator.request.get(f"{api}/nothing/"),
        annotator.request.post(f"{api}/undo/", data={}),
        annotator.request.post(f"{api}/undo/", data={}, headers=headers),
        annotator.request.post(f"{api}/next/", data={"count": 99}, headers=headers),
    ]
    assert [answer.status for answer in refused] == [401, 404, 403, 409, 400]
    for answer in refused:
        assert "no-store" in answer.headers["cache-control"]
