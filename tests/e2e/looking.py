"""Looking at a page as a person would, in light and dark, wide and narrow, and keeping a picture of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.e2e.pages import Shown
from tests.e2e.people import People
from tests.e2e.site import PROJECT

SCREENSHOTS = PROJECT / "docs" / "screenshots"
HEIGHT, TALLEST_SHOT = 900, 1600
LOOKS = (("light", 1280), ("dark", 390))
OTHER_LOOKS = (("dark", 1280), ("light", 390))
STICKS_OUT = "document.documentElement.scrollWidth > window.innerWidth"
REPORT_VIOLATIONS = """
    window.__violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.__violations.push(event.violatedDirective + " " + event.blockedURI));
"""
AXE_OPTIONS = {"resultTypes": ["violations"]}  # what passed need not be listed
# Brought to their end: in a page behind another they stand still, and waiting for them would never end.
END_ANIMATIONS = """
    document.getAnimations()
        .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
        .forEach((each) => each.finish())
"""


def looking(
    people: People, who: str, theme: str = "light", width: int = 1280, **options: object
) -> BrowserContext:
    viewport = {"width": width, "height": HEIGHT}
    context = people.context(who, color_scheme=theme, viewport=viewport, **options)
    context.add_init_script(REPORT_VIOLATIONS)
    return context


def faults_of(page: Page, shown: Shown) -> Iterator[str]:
    """Visit a page and yield everything that is wrong with it, in every look."""
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
    for theme, width in in_every_look(page):
        yield from (f"{shown.file_name}, {theme}, {width}: {fault}" for fault in faults_in_sight(page))


def in_every_look(page: Page) -> Iterator[tuple[str, int]]:
    """Put one look after the other on the page, and the first again in the end."""
    for theme, width in (*LOOKS, *OTHER_LOOKS):
        put_on(page, theme, width)
        yield theme, width
    put_on(page, *LOOKS[0])


def put_on(page: Page, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": HEIGHT})


def faults_in_sight(page: Page) -> Iterator[str]:
    page.evaluate(END_ANIMATIONS)
    if page.evaluate(STICKS_OUT):
        yield f"sticks out at {page.viewport_size}"
    for violation in Axe().run(page, options=AXE_OPTIONS).response["violations"]:
        places = [node["target"] for node in violation["nodes"][:3]]
        yield f"axe {violation['id']} at {places}"


def shoot(page: Page, file_name: str, theme: str, width: int) -> None:
    """Take a picture of the page from its top, not endlessly tall."""
    height = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST_SHOT)
    page.set_viewport_size({"width": width, "height": max(height, 600)})
    picture(page, f"{file_name}-{theme}-{width}")


def picture(page: Page, name: str) -> None:
    page.screenshot(path=SCREENSHOTS / f"{name}.jpg", type="jpeg", quality=60)


@dataclass
class Album:
    """Looks at a page in every look, and keeps a picture of it in some of them where pictures are taken."""

    name: str
    takes_pictures: bool
    looks: tuple[tuple[str, int], ...] = LOOKS
    numbered: bool = False  # pages of one way, in the order they are come to
    shown: list[str] = field(default_factory=list)

    def look(self, page: Page, name: str) -> None:
        self.shown.append(name)
        file_name = f"{self.name}-{len(self.shown)}-{name}" if self.numbered else f"{self.name}-{name}"
        for theme, width in in_every_look(page):
            assert list(faults_in_sight(page)) == [], (name, theme, width)
            if self.takes_pictures and (theme, width) in self.looks:
                shoot(page, file_name, theme, width)
