"""Label by keyboard in a real Chromium and note inside the page how long each step takes to be painted."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from playwright.sync_api import Page, sync_playwright

from tests.e2e import steps
from tests.e2e.conftest import CHROMIUM_FLAGS

LATENCY_MS = 120
# At the start of each frame after the press: is the next sample's number in? It is painted by that frame, and
# over when the following frame starts. So what is noted is never too short, and up to a frame too long.
STOPWATCH = """
window.presses = [];
addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const press = {at: event.timeStamp, painted: null, told: 0};
    presses.push(press);
    const heading = document.querySelector("[data-heading]");
    const before = heading.textContent;
    const look = () => requestAnimationFrame(heading.textContent === before ? look : () => {
        press.painted = performance.now() - press.at;
    });
    requestAnimationFrame(look);
}, true);
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        const press = presses.find(({at}) => entry.name === "keydown" && at === entry.startTime);
        if (press) press.told = entry.duration;
    }
}).observe({type: "event", durationThreshold: 16, buffered: true});
"""


@dataclass(frozen=True)
class Task:
    """What to label, as whom, and how often to press Enter."""

    port: int
    session: str
    slug: str
    answers: Mapping[str, object]
    presses: int


def measured(task: Task) -> dict[str, list[float]]:
    """Return milliseconds per press: until painted, and by the browser's Event Timing (0: too short)."""
    flags = [*CHROMIUM_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        site = f"http://localhost:{task.port}"
        context = browser.new_context(base_url=site)
        context.add_cookies([{"name": f"prometheus-{task.port}", "value": task.session, "url": site}])
        page = context.new_page()
        page.add_init_script(STOPWATCH)
        steps.slow_down(page, LATENCY_MS)
        steps.start_labelling(page, task.slug)
        steps.wait_for_script(page)
        for _ in range(task.presses):
            _label(page, task.answers)
        page.wait_for_function("presses.every(({painted}) => painted !== null)")
        presses = page.evaluate("presses")
        browser.close()
    return {name: [press[name] for press in presses] for name in ("painted", "told")}


def _label(page: Page, answers: Mapping[str, object]) -> None:
    """Answer the sample on screen as a quick person would, with the next two in memory, and press Enter."""
    steps.open_severe(page)
    asked = page.locator("[data-section]:not([hidden]) [data-question]")
    keys = asked.evaluate_all("questions => questions.map(({dataset}) => dataset.question)")
    steps.press_answers(page, {key: answers[key] for key in keys if key in answers})
    steps.wait_for_two_ahead(page)
    steps.press_and_go_on(page, "Enter")


if __name__ == "__main__":
    found = measured(Task(**orjson.loads(sys.stdin.buffer.read())))
    sys.stdout.buffer.write(orjson.dumps(found))
