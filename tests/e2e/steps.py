"""What people do on the pages, step by step, through labels and buttons only."""

import re
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

IMPORT_WITHIN_MS = 60_000


def make_campaign(lead: Page, name: str, slug: str) -> None:
    lead.goto("/campaigns/new/")
    lead.get_by_label("Name", exact=True).fill(name)
    lead.get_by_label("Address name").fill(slug)
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
    """Tick the answers by field name; with a script on the page, hidden questions are not there to tick."""
    for key, code in answers.items():
        page.locator(f'[name="answer-{key}"][value="{code}"]').check()


def label_one(page: Page, answers: Mapping[str, str]) -> str:
    """Answer the sample on screen and save; return its heading."""
    heading = page.locator("h1").inner_text()
    severe = page.locator("details.severe")
    if severe.count():
        severe.locator("summary").click()
    present = {key: code for key, code in answers.items() if page.locator(f'[name="answer-{key}"]').count()}
    answer(page, present)
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_text(re.compile(r"Saved \d\d:\d\d:\d\d")).first).to_be_visible()
    expect(page.locator("h1")).not_to_have_text(heading)
    return heading


def start_labelling(page: Page, slug: str) -> None:
    page.goto(f"/campaigns/{slug}/label/")
    start = page.get_by_role("button", name=re.compile("Start|Continue"))
    if start.is_visible():
        start.click()
    expect(page.get_by_role("button", name="Save and next")).to_be_visible()
