"""Every page in light and dark, wide and narrow: no CSP violation, no axe violation, nothing sticks out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e import steps
from tests.e2e.pages import NOT_PAGES, Shown, all_pages, furnish
from tests.e2e.people import People
from tests.e2e.site import PROJECT, Site
from tests.prometheus_site.test_every_url import RULES

SCREENSHOTS = PROJECT / "docs" / "screenshots"
TALLEST_SHOT = 1600
LOOKS = (("light", 1280), ("dark", 390))
OTHER_LOOKS = (("dark", 1280), ("light", 390))
AXE_OPTIONS = {"resultTypes": ["violations"]}  # what passed need not be listed
REPORT_VIOLATIONS = """
    window.__violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.__violations.push(event.violatedDirective + " " + event.blockedURI));
"""


@pytest.fixture(scope="module")
def pages(
    site: Site, people: People, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> list[Shown]:
    found = furnish(people, tmp_path_factory.mktemp("furniture"))
    site.manage("sweep")

    def record(table: str) -> str:
        app, model = table.rsplit("_", 1)
        with people.context("engineer" if app == "audit" else "lead") as context:
            page = context.new_page()
            page.goto(f"/board/{app}/{model}/")
            return str(page.locator("#result_list th a, #result_list td a").first.get_attribute("href"))

    return all_pages(found, record)


def test_every_address_is_looked_at(pages: list[Shown]) -> None:
    shown = {page.name for page in pages} - {"no such page"}
    expected = {name for name, rule in RULES.items() if rule.method == "get"} - set(NOT_PAGES)
    assert shown == expected


def looking(people: People, who: str, theme: str, width: int) -> BrowserContext:
    context = people.context(who, color_scheme=theme, viewport={"width": width, "height": 900})
    context.add_init_script(REPORT_VIOLATIONS)
    return context


def faults_of(page: Page, shown: Shown) -> Iterator[str]:
    """Visit a page and yield everything that is wrong with how it looks."""
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if "Content Security" in message.text else None
    )
    answer = page.goto(shown.address)
    assert answer is not None
    if answer.status != (404 if shown.name == "no such page" else 200):
        yield f"{shown.file_name}: status {answer.status}"
    # Before axe runs: it sets inline styles of its own.
    yield from (f"{shown.file_name}: CSP {violation}" for violation in page.evaluate("window.__violations"))
    yield from (f"{shown.file_name}: CSP {text}" for text in said)
    yield from (f"{shown.file_name}: {fault}" for fault in faults_in_sight(page))


def faults_in_sight(page: Page) -> Iterator[str]:
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield f"sticks out at {page.viewport_size}"
    for violation in Axe().run(page, options=AXE_OPTIONS).response["violations"]:
        places = [node["target"] for node in violation["nodes"][:3]]
        yield f"axe {violation['id']} at {places}"


@pytest.mark.parametrize(("theme", "width"), [*LOOKS, *OTHER_LOOKS])
def test_no_page_has_a_fault(
    pages: list[Shown], people: People, theme: str, width: int, request: pytest.FixtureRequest
) -> None:
    takes_shots = request.config.getoption("--take-screenshots") and (theme, width) in LOOKS
    faults: list[str] = []
    for who in sorted({page.who for page in pages}):
        with looking(people, who, theme, width) as context:
            for shown in (page for page in pages if page.who == who):
                page = context.new_page()
                faults += faults_of(page, shown)
                if takes_shots:
                    shoot(page, shown, SCREENSHOTS / f"{shown.file_name}-{theme}-{width}.jpg")
                page.close()
    assert not faults, "\n".join(faults)


def refuse_saves(page: Page, status: int) -> None:
    body = '{"detail": "You have labelled this sample already.", "code": "already_labelled"}'
    page.route("**/api/v1/**/pass/", lambda route: route.fulfill(status=status, body=body))


def is_signed_out(page: Page) -> None:
    refuse_saves(page, 401)
    steps.press_and_go_on(page, "s")
    expect(page.get_by_text("You were signed out.")).to_be_visible()


def has_stopped(page: Page) -> None:
    refuse_saves(page, 409)
    steps.press_and_go_on(page, "s")
    expect(page.get_by_text("Labelling has stopped here.")).to_be_visible()


def waits_for_the_network(page: Page) -> None:
    page.context.set_offline(True)
    for _ in range(3):
        steps.press_and_go_on(page, "s")
    expect(page.get_by_role("heading", name="The next sample is on its way")).to_be_visible()


def shows_the_guideline(page: Page) -> None:
    page.keyboard.press("g")
    expect(page.get_by_role("dialog").get_by_role("heading", name="C1 ")).to_be_visible()


FACES: dict[str, Callable[[Page], None]] = {
    "help": lambda page: page.keyboard.press("?"),
    "flag": lambda page: page.keyboard.press("f"),
    "guideline": shows_the_guideline,
    "an answer is missing": lambda page: page.keyboard.press("Enter"),
    "all answers explained": lambda page: page.keyboard.press("r"),
    "signed out": is_signed_out,
    "stopped": has_stopped,
    "no network": waits_for_the_network,
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_no_face_of_the_labelling_page_has_a_fault(
    pages: list[Shown], people: People, theme: str, width: int, face: str
) -> None:
    with looking(people, "annotator2", theme, width) as context:
        page = context.new_page()
        page.goto("/campaigns/demo/label/")
        steps.wait_for_script(page)
        steps.wait_for_two_ahead(page)
        FACES[face](page)
        assert list(faults_in_sight(page)) == []


def shoot(page: Page, shown: Shown, path: Path) -> None:
    """Take a picture of the page from its top, not endlessly tall."""
    page.goto(shown.address)
    page.wait_for_load_state("networkidle")
    height = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST_SHOT)
    width = int(page.evaluate("window.innerWidth"))
    page.set_viewport_size({"width": width, "height": max(height, 600)})
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path, type="jpeg", quality=60)
