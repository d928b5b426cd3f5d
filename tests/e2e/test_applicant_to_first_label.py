"""A stranger applies, becomes an annotator and gives a first label; the lead's board shows it all along."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from annotation.learning.content import mock_samples, modules
from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import recruiting, steps
from tests.e2e.looking import Album
from tests.e2e.site import Site

PageAs = Callable[..., Page]
SLUG, EMAIL, PASSWORD = "estuary", "mara@estuary.example", "four quiet herons at dusk"
ANSWERS = {key: str(value) for key, value in GOOD_ANSWERS.items()}
INVITATION = re.compile(r"http\S+(/invitation/\S+/)")
SAMPLES, CALIBRATION_SAMPLES = 6, 2  # of the second kind as many as label_last says


@dataclass
class App:
    """Mara's authenticator app. A code counts once, so each is of a later half minute than the one before."""

    secret: str = ""
    last: int = 0

    def code(self) -> str:
        self.last = max(self.last + 1, int(time.time()) // steps.CODE_SECONDS)
        return str(format_hotp_value(hotp_value(self.secret, self.last)))


@pytest.fixture
def album(request: pytest.FixtureRequest) -> Album:
    takes_pictures = bool(request.config.getoption("--take-screenshots"))
    return Album("annotation-way", takes_pictures, looks=(("light", 1280),), numbered=True)


def open_campaign(site: Site, lead: Page, folder: Path) -> None:
    """Make a campaign that asks for a qualification, with calibration samples and nobody in it yet."""
    steps.make_campaign(lead, "Estuary", SLUG, labels_per_sample=1, requires_qualification=True)
    sentences = [f"The tide of {number} came in before I slept." for number in range(1, SAMPLES + 1)]
    steps.import_file(lead, steps.write_conversations(folder / "estuary.jsonl", sentences), "Estuary", SLUG)
    site.manage("sweep")
    lead.goto(f"/campaigns/{SLUG}/plan/")
    lead.get_by_label("Calibration samples").fill(str(CALIBRATION_SAMPLES))
    lead.get_by_role("button", name="Check this design").click()
    lead.get_by_label("I accept this plan although it does not fit.").check()
    lead.get_by_role("button", name="Accept and open the campaign").click()
    recruiting.open_recruiting(lead, SLUG)


def expect_on_board(lead: Page, stage: str, waits_for: str) -> None:
    """Look at the lead's board: the application stands in this column, and waits for that."""
    lead.goto(f"/campaigns/{SLUG}/recruiting/")
    row = lead.get_by_role("row").filter(has_text="Mara Licht")
    expect(row.get_by_role("cell").nth(1)).to_have_text(stage)
    expect(row.get_by_role("cell").nth(2)).to_contain_text(waits_for)
    expect(lead.get_by_role("link", name=f"{stage} 1", exact=True)).to_be_visible()


def apply(site: Site, lead: Page, mara: Page, folder: Path) -> None:
    recruiting.begin(mara, SLUG, EMAIL)
    recruiting.fill_in(mara, folder)
    recruiting.send(mara)
    site.manage("sweep")
    recruiting.confirm(mara, recruiting.hand_over(lead, SLUG))


def take_quiz(mara: Page) -> None:
    mara.reload()
    mara.get_by_role("button", name="To the quiz").click()
    mara.get_by_role("button", name="Begin").click()
    for number in range(1, 16):
        expect(mara.get_by_role("heading", name=f"Question {number} of 15")).to_be_visible()
        recruiting.answer_right(mara)
    mara.get_by_role("button", name="Finish the quiz").click()
    expect(mara.get_by_text("Passed.")).to_be_visible()


def make_account(site: Site, lead: Page, mara: Page) -> str:
    """Accept the invitation out of the newest message; return its address."""
    site.manage("sweep")
    recruiting.open_applicant(lead, SLUG)
    lead.get_by_role("button", name="Show it with a link").last.click()
    found = INVITATION.search(lead.get_by_label("Text. The link in it").input_value())
    assert found
    mara.goto(found.group(1))
    mara.get_by_label("Your name").fill("Mara Licht")
    mara.get_by_label("Password", exact=True).fill(PASSWORD)
    mara.get_by_label("Password again").fill(PASSWORD)
    mara.get_by_role("button", name="Make my account").click()
    expect(mara.get_by_text("Your account is ready.")).to_be_visible()
    return found.group(1)


def sign_in(mara: Page, app: App | None = None) -> None:
    mara.goto("/accounts/login/")
    mara.get_by_label("Email").fill(EMAIL)
    mara.get_by_label("Password", exact=True).fill(PASSWORD)
    mara.get_by_role("button", name="Sign in", exact=True).click()
    if app:
        mara.get_by_label("Code").fill(app.code())
        mara.get_by_role("button", name="Sign in", exact=True).click()
    expect(mara.get_by_role("heading", name="Good to see you, Mara Licht")).to_be_visible()


def set_up_app(mara: Page) -> App:
    """Add an authenticator app, and sign in with it."""
    mara.goto("/accounts/2fa/totp/activate/")
    mara.get_by_label("Password").fill(PASSWORD)
    mara.get_by_role("button", name="Confirm").click()
    secret = mara.locator("code").inner_text()
    mara.get_by_label("code").fill(App(secret).code())  # the first one is not used up by this
    mara.get_by_role("button", name="Set it up").click()
    expect(mara.get_by_text("authenticator app").first).to_be_visible()
    mara.context.clear_cookies()
    app = App(secret)
    sign_in(mara, app)
    return app


def sign(mara: Page, document: str, app: App | None = None) -> None:
    """Read and sign a document; with the app at hand, confirm by it who signs."""
    mara.goto("/documents/")
    mara.get_by_role("link", name=re.compile(f"Read and sign.*{document}")).click()
    mara.get_by_label("I have read this and agree to it.").check()
    mara.get_by_role("button", name="Sign", exact=True).click()
    if app:
        expect(mara.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
        mara.get_by_label("Code").fill(app.code())
        mara.get_by_role("button", name="Confirm").click()
    expect(mara.get_by_text(f"Signed: {document}")).to_be_visible()


def learn(mara: Page) -> None:
    """Do the six modules, then the mock session."""
    for module in modules():
        mara.goto("/learn/")
        mara.get_by_role("link", name=module.title, exact=True).click()
        for number, question in enumerate(module.questions, start=1):
            mara.locator(f'input[name="question-{number}"][value="{question.right}"]').check()
        mara.get_by_role("button", name="Check my answers").click()
        expect(mara.get_by_role("heading", name="All right: this module is completed")).to_be_visible()
    mara.get_by_role("link", name="On to the mock session").or_(
        mara.get_by_role("button", name="On to the mock session")
    ).click()
    for sample in mock_samples():
        for key, given in sample.answers.items():
            for code in given if isinstance(given, list) else [given]:
                mara.locator(f'[name="answer-{key}"][value="{code}"]').check()
        mara.get_by_role("button", name="Explain my answers").click()
        expect(mara.get_by_role("heading", name="Explained")).to_be_visible()
        mara.get_by_role("button", name=re.compile("Next sample|End the mock session")).click()


def label_last(mara: Page) -> None:
    """Label the second and last of the calibration samples: no other comes."""
    steps.open_severe(mara)
    steps.answer(mara, ANSWERS)
    mara.wait_for_timeout(steps.SLIP_MS)
    mara.get_by_role("button", name="Save and next").click()
    expect(mara.get_by_role("heading", name="Before the next sample")).to_be_visible()
    expect(mara.get_by_text("The lead decides after that.")).to_be_visible()


def open_qualification(lead: Page) -> None:
    lead.goto(f"/campaigns/{SLUG}/qualifications/")
    lead.get_by_role("link", name="Mara Licht").click()


def decide(lead: Page, outcome: str, why: str) -> None:
    open_qualification(lead)
    lead.get_by_label(outcome, exact=True).check()
    lead.get_by_label("Why", exact=True).fill(why)
    lead.get_by_role("button", name="Decide").click()
    expect(lead.get_by_text("Decided: Mara Licht")).to_be_visible()


def expect_no_sample(mara: Page) -> None:
    """Neither page nor API knows the campaign for somebody who is not taken in."""
    answer = mara.goto(f"/campaigns/{SLUG}/label/")
    assert answer is not None
    assert answer.status == 404
    assert mara.request.get(f"/api/v1/campaigns/{SLUG}/progress/").status == 404


def test_from_the_public_page_to_the_first_label(
    site: Site, page_as: PageAs, tmp_path: Path, album: Album
) -> None:
    lead, mara = page_as("lead"), page_as("")
    open_campaign(site, lead, tmp_path)
    apply(site, lead, mara, tmp_path)
    expect_on_board(lead, "Applied", "you to read it")
    album.look(lead, "board-applied")
    recruiting.move(lead, SLUG, "screening", "Nine years of crisis work.")
    expect_on_board(lead, "Screening quiz", "the quiz")
    take_quiz(mara)
    expect_on_board(lead, "Calibration", "the invitation to be accepted")

    invitation = make_account(site, lead, mara)
    sign_in(mara)
    album.look(mara, "applicant-start")
    expect_no_sample(mara)
    app = set_up_app(mara)
    sign(mara, "Consent and content warning", app)
    sign(mara, "Confidentiality")
    album.look(mara, "applicant-documents")
    learn(mara)
    expect_no_sample(mara)
    expect_on_board(lead, "Calibration", "you to let them calibrate")

    recruiting.open_applicant(lead, SLUG)
    album.look(lead, "applicant-to-take-in")
    lead.get_by_label("Why they may calibrate").fill("Passed the quiz at the first try.")
    lead.get_by_role("button", name="Let them calibrate").click()
    expect(lead.get_by_text("is an annotator of this campaign and may calibrate")).to_be_visible()
    expect_on_board(lead, "Calibration", "the calibration samples")
    steps.start_labelling(mara, SLUG)
    album.look(mara, "calibration-sample")
    steps.label_one(mara, ANSWERS)
    label_last(mara)
    expect_on_board(lead, "Calibration", "you to check the licence")

    open_qualification(lead)
    lead.get_by_label("Licence number").fill(recruiting.TEXTS["Licence number"])
    lead.get_by_role("button", name="I have checked it").click()
    expect(lead.get_by_text("The licence is recorded as checked.")).to_be_visible()
    expect_on_board(lead, "Licence checked", "your offer")
    recruiting.move(lead, SLUG, "offered", "Agrees well, and a good talk.")
    expect_on_board(lead, "Offered", "the contractor terms to be signed")
    mara.goto(f"/campaigns/{SLUG}/qualification/")
    album.look(mara, "own-qualification")
    sign(mara, "Contractor terms")
    expect_on_board(lead, "Training", "your decision")
    album.look(lead, "board-to-decide")
    decide(lead, "Provisional", "The calibration agrees with what the seniors say so far.")
    expect_on_board(lead, "Active", "nothing")
    album.look(lead, "board-active")

    steps.start_labelling(mara, SLUG)
    album.look(mara, "first-sample")
    steps.label_one(mara, ANSWERS)
    given = {one["purpose"] for one in steps.labels_of(lead, SLUG)}
    assert given == {"calibration", "overlap"}
    recruiting.open_applicant(lead, SLUG)
    album.look(lead, "applicant-active")
    expect_used(mara, page_as(""), invitation)
    site.manage("verify_audit_chain")


def expect_used(mara: Page, stranger: Page, invitation: str) -> None:
    """The invitation opens nothing any more, to its owner or to somebody else."""
    for page in (mara, stranger):
        answer = page.goto(invitation)
        assert answer is not None
        assert answer.status == 410
        expect(page.get_by_text("This invitation was already used.")).to_be_visible()
