"""The lead's way from no campaign to an open one, with Tab, Space, Enter and typing only."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.site import Site

TABS_AT_MOST = 60
IS_FOCUSED = "element => element === document.activeElement"
# In the window, on top of what else is there, and marked: an outline of its own or of the label around it.
IS_SEEN = """element => {
    const box = element.getBoundingClientRect();
    const there = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
    const marked = [element, element.closest(".option")].some(
        (one) => one && getComputedStyle(one).outlineStyle !== "none");
    return marked && (there === element || element.contains(there) || Boolean(there?.contains(element)));
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until this control has the focus, and look that it can be seen."""
    for _ in range(TABS_AT_MOST):
        page.keyboard.press("Tab")
        if target.evaluate(IS_FOCUSED):
            assert target.evaluate(IS_SEEN), f"the focus on {target} cannot be seen"
            return
    raise AssertionError(f"{target} is not within {TABS_AT_MOST} presses of Tab")


def press(page: Page, name: str, key: str = "Enter") -> None:
    tab_to(page, page.get_by_role("button", name=name, exact=True))
    page.keyboard.press(key)


def write(page: Page, label: str, words: str) -> None:
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.press("Control+a")
    page.keyboard.type(words)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_campaign_is_made_planned_and_opened(
    site: Site, page_as: Callable[..., Page], tmp_path: Path, width: int
) -> None:
    page = page_as("lead", viewport={"width": width, "height": 800})
    slug = f"keys-{secrets.token_hex(4)}"
    page.goto("/campaigns/")
    press(page, "New campaign")
    expect(page.get_by_role("heading", name="New campaign")).to_be_visible()
    write(page, "Name", f"Campaign {slug}")
    write(page, "Address name", slug)
    write(page, "Labels per sample", "1")
    tab_to(page, page.get_by_label("Samples go to qualified clinicians only"))
    page.keyboard.press("Space")
    press(page, "Go on to the preview")
    press(page, "Make the campaign")
    expect(page.get_by_role("heading", name=f"Campaign {slug}")).to_be_visible()
    steps.import_file(page, steps.write_conversations(tmp_path / "one.jsonl", ["I slept."]), slug, slug)
    site.manage("sweep")

    page.goto(f"/campaigns/{slug}/")
    tab_to(page, page.get_by_label("Anna Demo"))
    page.keyboard.press("Space")
    press(page, "Save the people")
    press(page, "Plan")
    write(page, "Expected seconds for a label", "90")
    press(page, "Check this design")
    expect(page.get_by_text("It fits")).to_be_visible()
    press(page, "Accept and open the campaign")
    expect(page.get_by_role("heading", name="Plan", exact=True)).to_be_visible()
    page.goto(f"/campaigns/{slug}/")
    expect(page.get_by_role("button", name="Close the campaign")).to_be_visible()
