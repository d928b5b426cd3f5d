"""What people do on the pages, step by step, through labels, buttons and keys only."""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import sign_in
from tests.e2e.site import Site

IMPORT_WITHIN_MS = 60_000
SLIP_MS = 300  # a save or pass pressed sooner after the last one is taken for a slip
CODE_SECONDS = 30  # as long an authenticator app shows one code, which counts once
SAVED = re.compile(r"Saved \d\d:\d\d:\d\d")
PASSED = re.compile(r"Passed \d\d:\d\d:\d\d")
_MARK_SEVERE = """
from annotation.models import Sample
marked = Sample.objects.filter(campaign__slug="{slug}", number__in={severe})
assert marked.update(is_estimated_severe=True) == len({severe})
"""
Answers = Mapping[str, object]  # by dimension: a code, a list of codes, or true


@dataclass(frozen=True)
class Campaign:
    """An open campaign and what its samples say: a sentence that stands nowhere else, for each."""

    slug: str
    sentences: tuple[str, ...]

    @property
    def label_page(self) -> str:
        return f"/campaigns/{self.slug}/label/"


def open_campaign(
    site: Site,
    lead: Page,
    folder: Path,
    names: list[str],
    *,
    samples: int,
    severe: Sequence[int] = (),
    asks: Callable[[Page], None] | None = None,
) -> Campaign:
    """Make a campaign of short conversations that each of these people labels, and open it.

    ``severe`` numbers the samples to be estimated severe: an estimate comes from no page. ``asks`` fills in
    the form's part about the scheme.
    """
    slug = f"tried-{secrets.token_hex(4)}"
    sentences = [
        f"The kettle of {slug} sang {number} times before I slept." for number in range(1, samples + 1)
    ]
    make_campaign(lead, f"Campaign {slug}", slug, labels_per_sample=len(names), asks=asks)
    import_file(lead, write_conversations(folder / f"{slug}.jsonl", sentences), slug, slug)
    site.manage("sweep")  # what the sweeper does within seconds
    if severe:
        site.manage("shell", "-c", _MARK_SEVERE.format(slug=slug, severe=list(severe)))
    add_people_and_open(lead, slug, names)
    return Campaign(slug, tuple(sentences))


def write_conversations(path: Path, sentences: Sequence[str]) -> Path:
    """Write a file of short conversations, each with one of these sentences in it."""
    lines = (
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"{sentence} I lay there and listened to the street."},
                    {"role": "assistant", "content": "What went through your mind while you listened?"},
                ]
            }
        )
        for sentence in sentences
    )
    path.write_text("\n".join(lines) + "\n")
    return path


def make_campaign(
    lead: Page,
    name: str,
    slug: str,
    *,
    labels_per_sample: int = 2,
    requires_qualification: bool = False,
    asks: Callable[[Page], None] | None = None,
) -> None:
    lead.goto("/campaigns/new/")
    lead.get_by_label("Name", exact=True).fill(name)
    lead.get_by_label("Address name").fill(slug)
    lead.get_by_label("Labels per sample").fill(str(labels_per_sample))
    if not requires_qualification:
        lead.get_by_label("Samples go to qualified clinicians only").uncheck()
    if asks:
        asks(lead)
    lead.get_by_role("button", name="Go on to the preview").click()
    lead.get_by_role("button", name="Make the campaign").click()
    expect(lead.get_by_role("heading", name=name)).to_be_visible()


def import_file(lead: Page, path: Path, source: str, slug: str) -> None:
    """Upload, look at the preview, import, and wait for the worker to finish."""
    lead.goto(f"/campaigns/{slug}/")
    lead.get_by_role("link", name="Import conversations").click()
    lead.get_by_label("File").set_input_files(path)
    lead.get_by_label("Name of the new source").fill(source)
    lead.get_by_role("button", name="Upload and check").click()
    expect(lead.get_by_role("heading", name=f"Check {path.name}")).to_be_visible()
    lead.get_by_role("button", name="Import", exact=True).click()
    expect(lead.get_by_role("heading", name=f"Import of {path.name}")).to_be_visible()
    expect(lead.get_by_text("Kept", exact=True)).to_be_visible(timeout=IMPORT_WITHIN_MS)


def add_people_and_open(lead: Page, slug: str, names: list[str]) -> None:
    lead.goto(f"/campaigns/{slug}/")
    for name in names:
        lead.get_by_label(name).check()
    lead.get_by_role("button", name="Save the people").click()
    lead.get_by_role("button", name="Open the campaign").click()
    expect(lead.get_by_role("button", name="Close the campaign")).to_be_visible()


def answer(page: Page, answers: Mapping[str, str]) -> None:
    """Tick the answers to what is asked about the sample on screen: not everything is about every one."""
    for key, code in answers.items():
        option = page.locator(f'[data-section]:not([hidden]) [name="answer-{key}"][value="{code}"]')
        if option.count():
            option.check()


def label_one(page: Page, answers: Mapping[str, str]) -> str:
    """Answer the sample on screen and save; return its heading."""
    heading = heading_of(page).inner_text()
    open_severe(page)
    answer(page, answers)
    page.wait_for_timeout(SLIP_MS)
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_text(SAVED).first).to_be_visible()
    expect(heading_of(page)).not_to_have_text(heading)
    return heading


def open_severe(page: Page) -> None:
    """Uncover the text where it is estimated severe."""
    cover = page.get_by_role("button", name="Open the text")
    if cover.is_visible():
        cover.click()
        # Not when the button is gone: without a script the next page is still on its way then.
        expect(page.get_by_text(re.compile(r"^turn \d+$")).filter(visible=True).first).to_be_visible()
        expect(cover).to_be_hidden()


def pass_until(page: Page, *, is_covered: bool) -> None:
    """Pass samples until one is on screen whose text is covered, or one whose text is not."""
    cover = page.get_by_role("button", name="Open the text")
    while cover.is_visible() != is_covered:
        heading = heading_of(page).inner_text()
        page.wait_for_timeout(SLIP_MS)
        page.get_by_role("button", name="Pass", exact=True).click()
        expect(heading_of(page)).not_to_have_text(heading)


def start_labelling(page: Page, slug: str) -> None:
    page.goto(f"/campaigns/{slug}/label/")
    start = page.get_by_role("button", name=re.compile("Start|Continue"))
    if start.is_visible():
        start.click()
    expect(page.get_by_role("button", name="Save and next")).to_be_visible()


def heading_of(page: Page) -> Locator:
    """Return the heading that names the sample on screen."""
    return page.get_by_role("heading", level=1)


def shown_number(page: Page) -> int:
    """Return the number of the sample on screen."""
    return int(heading_of(page).inner_text().removeprefix("Sample "))


def wait_for_script(page: Page) -> None:
    """Wait until the labelling page listens to keys: then a question is the active one."""
    expect(page.locator('[aria-current="step"]')).to_be_visible()


def wait_for_two_ahead(page: Page) -> None:
    """Wait until the page has the next two samples in memory."""
    expect(page.locator(".is-ahead")).to_have_count(2)


def press_answers(page: Page, answers: Answers) -> None:
    """Give each answer by the key that stands on it, when its question is the active one."""
    left, ways = dict(answers), ["j", "k"]  # down the page first, then up
    active = page.locator('[aria-current="step"]')
    while left:
        key = str(active.get_attribute("data-question"))
        if key not in left:
            assert ways, f"no key leads to {sorted(left)}"
            page.keyboard.press(ways[0])
            if active.get_attribute("data-question") == key:
                ways.pop(0)
            continue
        given = left.pop(key)
        for code in given if isinstance(given, list) else ["on" if given is True else given]:
            option = page.locator(f'[name="answer-{key}"][value="{code}"]')
            shown = option.locator("xpath=..").locator(".option-key, .option-code").inner_text()
            page.keyboard.press(shown)
            expect(option).to_be_checked()


def press_and_go_on(page: Page, key: str) -> None:
    """Press Enter or S when the page takes it, and wait for another sample."""
    heading = heading_of(page).inner_text()
    page.wait_for_timeout(SLIP_MS)
    page.keyboard.press(key)
    expect(heading_of(page)).not_to_have_text(heading)


def tab_to(page: Page, name: str) -> None:
    """Go by the Tab key to the control of this name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.inner_text().strip().startswith(name):
            return
    raise AssertionError(f"no {name!r} within 60 presses of Tab")


def labels_of(lead: Page, slug: str) -> list[dict[str, Any]]:
    """Return every label of the campaign as the API exports it, those undone or corrected too."""
    exported = lead.request.get(f"/api/v1/campaigns/{slug}/export.jsonl")
    assert exported.ok, exported.text()
    return [json.loads(line) for line in exported.text().splitlines()]


def standing_answers(lead: Page, slug: str) -> dict[int, Answers]:
    """Return what was answered by the labels that stand, by sample number; two of one sample are a fault.

    A flag that is not set and an empty list are what the server makes of a question left alone.
    """
    standing = [label for label in labels_of(lead, slug) if label["stands"]]
    found = {label["sample"]: label["answers"] for label in standing}
    assert len(found) == len(standing), "a sample has two labels that stand"
    return {
        number: {key: given for key, given in answers.items() if given not in (False, [])}
        for number, answers in found.items()
    }


def slow_down(page: Page, latency_ms: int) -> None:
    """Delay every request of the page by this long."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    conditions = {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", conditions)


def watch(page: Page, faults: list[str]) -> None:
    """Put everything into the list that the browser finds wrong: errors and violations of the CSP."""
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))


def sign_in_afresh(page: Page, site: Site, name: str) -> None:
    """Sign in for a session that no other test uses, with the next code: the one of now may be used up."""
    time.sleep(CODE_SECONDS - time.time() % CODE_SECONDS)
    sign_in(page, site, name)
