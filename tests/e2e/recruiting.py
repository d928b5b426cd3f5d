"""What applicants and the lead who hires them do on the pages, step by step."""

import re
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from annotation.recruitment.spam import LEAST_SECONDS
from annotation.screening.bank import parse_bank, shipped_bank
from tests.annotation.recruitment.applying import PDF

LINK = re.compile(r"http\S+(/application/\S+/)")
# The clock of the server and that of the page each cut off part of a second.
SLOWER_THAN_A_PROGRAM_MS = (LEAST_SECONDS + 1) * 1000
TEXTS = {
    "Your name": "Mara Licht",
    "In which subject, from where": "Clinical psychology, Utrecht",
    "Licence number": "PSY-20417",
    "Jurisdiction": "Netherlands",
    "Licence valid until": f"{date.today() + timedelta(days=700)}",  # noqa: DTZ011
    "Years of clinical work": "9",
    "Clinical experience": "Outpatient clinic and crisis team.",
    "Hours a week you could give": "6",
    "Why you would like to do this": "Models should learn from people who sat in the room.",
}
CHOICES = {
    "Highest degree": "doctorate",
    "Training in crisis or suicide risk": "yes",
    "Your time zone": "Pacific/Auckland",
    "How you heard of us": "colleague",
}


def open_recruiting(lead: Page, slug: str) -> None:
    """Say what the work pays and let people apply."""
    lead.goto(f"/campaigns/{slug}/recruiting/facts/")
    lead.get_by_label("Pay").fill("90 EUR for an hour of active time, paid monthly.")
    lead.get_by_label("Applicants (optional)").fill("20")
    lead.get_by_label("Days from applying to active").fill("10")
    lead.get_by_role("button", name="Save").click()
    lead.get_by_role("button", name="Open recruiting").click()
    expect(lead.get_by_text("Taking applications")).to_be_visible()


def begin(stranger: Page, slug: str, email: str) -> str:
    """Begin an application; return its address."""
    stranger.goto(f"/join/{slug}/")
    stranger.get_by_role("button", name="Apply").first.click()
    stranger.get_by_label("E-mail address").fill(email)
    stranger.wait_for_timeout(SLOWER_THAN_A_PROGRAM_MS)
    stranger.get_by_role("button", name="Begin").click()
    expect(stranger.get_by_role("heading", name="Your application")).to_be_visible()
    return stranger.url


def fill_in(stranger: Page, folder: Path) -> None:
    for label, text in TEXTS.items():
        stranger.get_by_label(label).fill(text)
    for label, value in CHOICES.items():
        stranger.get_by_label(label).select_option(value)
    stranger.get_by_label("I have read what I would be reading").check()
    file = folder / "cv.pdf"
    file.write_bytes(PDF)
    stranger.get_by_label("CV", exact=True).set_input_files(file)


def send(stranger: Page) -> None:
    stranger.get_by_role("button", name="Send").click()
    expect(stranger.get_by_text("The way on is in our message to the address.")).to_be_visible()


def open_applicant(lead: Page, slug: str) -> None:
    """Open the newest application of the stage that is shown."""
    lead.goto(f"/campaigns/{slug}/recruiting/")
    lead.get_by_role("link", name="Mara Licht").last.click()
    expect(lead.get_by_role("heading", name="Mara Licht")).to_be_visible()


def hand_over(lead: Page, slug: str) -> str:
    """Take the link out of the newest message that was not sent, as a lead without a mail server does."""
    open_applicant(lead, slug)
    lead.get_by_role("button", name="Show it with a link").last.click()
    found = LINK.search(lead.get_by_label("Text. The link in it").input_value())
    assert found
    return found.group(1)


def confirm(stranger: Page, link: str) -> None:
    stranger.goto(link)
    stranger.get_by_role("button", name="Confirm my address").click()
    expect(stranger.get_by_text("It stands at: Applied.")).to_be_visible()


def move(lead: Page, slug: str, to: str, why: str) -> None:
    open_applicant(lead, slug)
    lead.get_by_label("Move to").select_option(to)
    lead.get_by_label("Why", exact=True).fill(why)
    lead.get_by_role("button", name="Move", exact=True).click()
    expect(lead.get_by_text("Moved to")).to_be_visible()


def answer_right(stranger: Page) -> None:
    """Choose the right answer of the question on screen and go on."""
    asked = stranger.locator("legend").inner_text().strip()
    key = {one.text.strip(): one.options[one.answer] for one in parse_bank(shipped_bank()).questions}
    stranger.get_by_label(key[asked], exact=True).check()
    stranger.get_by_role("button", name="Save and").click()
