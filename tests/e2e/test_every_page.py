"""Every page in light and dark, wide and narrow: no CSP violation, no axe violation, nothing sticks out."""

import json
import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import steps
from tests.e2e.looking import (
    LOOKS,
    STICKS_OUT,
    faults_in_sight,
    faults_of,
    looking,
    picture,
    put_on,
    shoot,
)
from tests.e2e.pages import (
    CALIBRATE,
    NOT_PAGES,
    RUNS,
    SELECT,
    SELECTING,
    Shown,
    all_pages,
    freeze_report,
    furnish,
)
from tests.e2e.people import People
from tests.e2e.site import Site
from tests.prometheus_site.test_every_url import RULES

HALF_AN_HOUR_MS = 31 * 60_000


@pytest.fixture
def takes_pictures(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--take-screenshots"))


@pytest.fixture(scope="module")
def pages(
    site: Site, people: People, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> list[Shown]:
    found = furnish(people, tmp_path_factory.mktemp("furniture"))
    number, code = site.manage("shell", "--verbosity", "0", "-c", CALIBRATE).split()
    found["calibration sample"] = f"/campaigns/spring/calibration/{number}/"
    found["review"] = f"/campaigns/spring/calibration/review/{code}/"
    for furniture in (SELECT, SELECTING):
        site.manage("shell", "--verbosity", "0", "-c", furniture)
    found |= json.loads(site.manage("shell", "--verbosity", "0", "-c", RUNS))
    site.manage("sweep")
    found |= freeze_report(site, people, tmp_path_factory.mktemp("ended"))

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


@pytest.mark.timeout(1800)  # over a hundred pages in four looks: ten minutes are too few on a busy machine
def test_no_page_has_a_fault(pages: list[Shown], people: People, takes_pictures: bool) -> None:
    faults: list[str] = []
    for who in sorted({page.who for page in pages}):
        with looking(people, who) as context:
            for shown in (page for page in pages if page.who == who):
                page = context.new_page()
                faults += faults_of(page, shown)
                if takes_pictures:
                    revisit_and_shoot(page, shown)
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


def break_is_due(page: Page) -> None:
    page.context.set_offline(True)  # what is passed here reaches nobody
    page.clock.install()
    page.clock.fast_forward(HALF_AN_HOUR_MS)
    steps.press_and_go_on(page, "s")
    expect(page.get_by_text("30 minutes of reading.")).to_be_visible()


def shows_the_guideline(page: Page) -> None:
    page.keyboard.press("g")
    expect(page.get_by_role("dialog").get_by_role("heading", name="C1 ")).to_be_visible()


def opens_what_is_severe(page: Page) -> None:
    steps.open_severe(page)
    # Samples fetched ahead lie in the page, too, out of sight; a window of a session begins at a later turn.
    expect(page.get_by_text(re.compile(r"^turn \d+$")).filter(visible=True).first).to_be_visible()


# In this order for the pictures: a text that was opened stays open.
FACES: dict[str, Callable[[Page], None]] = {
    "help": lambda page: page.keyboard.press("?"),
    "flag": lambda page: page.keyboard.press("f"),
    "note": lambda page: page.keyboard.press("n"),
    "guideline": shows_the_guideline,
    "an answer is missing": lambda page: page.keyboard.press("Enter"),
    "all answers explained": lambda page: page.keyboard.press("r"),
    "signed out": is_signed_out,
    "stopped": has_stopped,
    "no network": waits_for_the_network,
    "break": break_is_due,
    "opened": opens_what_is_severe,
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_no_face_of_the_labelling_page_has_a_fault(
    pages: list[Shown], people: People, theme: str, width: int, face: str, takes_pictures: bool
) -> None:
    who = "annotator" if face == "opened" else "annotator2"
    with looking(people, who, theme, width) as context:
        page = context.new_page()
        page.goto("/campaigns/demo/label/")
        steps.wait_for_script(page)
        steps.wait_for_two_ahead(page)
        FACES[face](page)
        if takes_pictures:
            picture(page, f"annotation-workbench-{face.replace(' ', '-')}-{theme}-{width}")
        assert list(faults_in_sight(page)) == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_nothing_sticks_out_without_a_script(
    pages: list[Shown], people: People, theme: str, width: int, takes_pictures: bool
) -> None:
    with looking(people, "annotator2", theme, width, java_script_enabled=False) as context:
        page = context.new_page()
        shown = Shown("annotation:workbench", "annotator2", "/campaigns/demo/label/", "without a script")
        page.goto(shown.address)
        expect(page.get_by_role("button", name="Keep a draft")).to_be_visible()
        assert not page.evaluate(STICKS_OUT)
        if takes_pictures:
            revisit_and_shoot(page, shown, [(theme, width)])


def revisit_and_shoot(page: Page, shown: Shown, looks: Sequence[tuple[str, int]] = LOOKS) -> None:
    for theme, width in looks:
        put_on(page, theme, width)
        page.goto(shown.address)
        page.wait_for_load_state("networkidle")
        shoot(page, shown.file_name, theme, width)
