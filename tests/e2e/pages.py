"""Every page of the site: who looks at it, and where it is in a furnished demo installation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import recruiting, steps
from tests.e2e.people import People
from tests.e2e.site import Site

ANSWERS = {key: str(value) for key, value in GOOD_ANSWERS.items()}
STRANGER = ""
REPORT_WITHIN_SECONDS = 60


@dataclass(frozen=True)
class Shown:
    """A page by its URL name, the person who looks at it, its address, and which of its faces that is."""

    name: str
    who: str
    address: str
    face: str = ""

    @property
    def file_name(self) -> str:
        return "-".join(filter(None, (self.name, self.face))).translate(str.maketrans(":_ ", "---"))


# Addresses that answer without a page of their own: pictures, files, redirects, and pages in the middle of
# something (signing in, resetting) that only exist while it goes on.
NOT_PAGES = {
    "health": "JSON",
    "admin:login": "redirects to the login page",
    "admin:logout": "redirects to the logout page",
    "account_inactive": "of a deactivated person",
    "account_reauthenticate": "people with a second factor confirm with that: see mfa_reauthenticate",
    "account_email_verification_sent": "of an address to be confirmed",
    "account_reset_password_from_key": "of a link in a mail",
    "account_reset_password_from_key_done": "after a link in a mail",
    "mfa_authenticate": "visited by everybody who signs in",
    "mfa_reauthenticate_webauthn": "answers a script",
    "mfa_login_webauthn": "answers a script",
    "mfa_activate_totp": "of people without an authenticator app",
    "mfa_download_recovery_codes": "a file",
    "mfa_view_recovery_codes": "of people with recovery codes",
    "mfa_edit_webauthn": "of people with a passkey",
    "mfa_remove_webauthn": "of people with a passkey",
    "mfa_deactivate_totp": "confirmed first: see mfa_reauthenticate",
    "mfa_generate_recovery_codes": "confirmed first: see mfa_reauthenticate",
    "mfa_add_webauthn": "confirmed first: see mfa_reauthenticate",
    "accounts:totp_qr": "a picture",
    "api:schema": "JSON",
    "api:unknown_address": "JSON",
    "annotation_api:progress": "JSON",
    "annotation_api:hours": "JSON",
    "annotation_api:export_csv": "a file",
    "annotation_api:export_jsonl": "a file",
    "annotation:danger_case": "of two labels that differ dangerously: tests/annotation/dangerous",
    "annotation:download_checkpoint_report": "a file",
    "annotation:statement_csv": "a file",
    "annotation:payroll_csv": "a file",
    "annotation:download_cv": "a file",
    "annotation:download_own_data": "a file",
    "annotation:quiz": "of an applicant who has given the address: see test_apply_and_take_quiz",
    "annotation:quiz_question": "of an applicant who has given the address: see test_apply_and_take_quiz",
    "annotation:example_scheme": "a file",
    "annotation:example_guideline": "a file",
}


# A senior with a login and one without have labelled a calibration sample blind; its answers are settled by
# hand here, as no page can be seen before. Prints the number of the sample.
CALIBRATE = """
from annotation.assignment import sittings
from annotation.models import Assignment
from annotation.qualification.settling import Settled, settle
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.planned import give, make_planned_campaign
names = ("lead", "adjudicator", "annotator")
lead, ada, anna = (User.objects.get(email=f"{name}@demo.localhost") for name in names)
RoleGrant.objects.create(user=ada, role=Role.ANNOTATOR)
seniors = [ada, people.make("senior", Role.ANNOTATOR, Role.ADJUDICATOR)]
campaign = make_planned_campaign(lead, [*seniors, anna], samples=4, calibration_samples=1, slug="spring")
for slot in Assignment.objects.filter(campaign=campaign, purpose="calibration"):
    level = "4" if slot.annotator == anna else "3"
    give(campaign, slot, answers={"empathy_global": level}, note="It checks whether it is right.")
    sittings.end(campaign=campaign, annotator=slot.annotator)
sample = slot.sample
answers = {"crisis_intensity": "0", "modality_primary": "supportive", "empathy_global": "3"}
settled = {key: Settled(answer, "By the clause, as both of us read it.") for key, answer in answers.items()}
settle(sample=sample, answers=settled, settled_by=ada)
print(sample.number, anna.code)
"""


# A campaign whose samples were selected from a verified dataset, which is compiled here.
SELECT = """
import tempfile
from pathlib import Path
from annotation.campaigns.services import create_campaign
from annotation.intake.selection import take_in_selection
from datasets_app.selection.selecting import select_samples
from prometheus_site.accounts.models import User
from tests.datasets_app.selection.making import verified_dataset
with tempfile.TemporaryDirectory() as folder:
    verified_dataset(Path(folder), {"suicidality": 60, "grief_complicated": 40, "": 100})
    selected = select_samples(f"{folder}/dataset", 80, 1)
    lead = User.objects.get(email="lead@demo.localhost")
    create_campaign(name="Summer campaign", slug="summer", created_by=lead)
    take_in_selection(selected=selected, campaign_slug="summer", made_by=lead)
"""


# Campaigns without samples: nothing was asked for, a run is at it, a run has failed. No worker takes them up.
SELECTING = """
from annotation.campaigns.services import create_campaign
from datasets_app.models import RunState
from prometheus_site.accounts.models import User
from tests.annotation.selection.making import furnish_run
lead = User.objects.get(email="lead@demo.localhost")
create_campaign(name="Unpicked campaign", slug="unpicked", created_by=lead)
picking = create_campaign(name="Picking campaign", slug="picking", created_by=lead)
furnish_run(picking, lead, RunState.RUNNING, step="cover", done=84, total=210)
stopped = create_campaign(name="Stopped campaign", slug="stopped", created_by=lead)
furnish_run(stopped, lead, RunState.FAILED)
"""


# Runs of phase 1 in three states; real ones: see tests/datasets_app/runs. Prints their addresses.
RUNS = """
import json
from prometheus_site.accounts.models import User
from tests.datasets_app.runs.making import furnish_runs
print(json.dumps(furnish_runs(User.objects.get(email="lead@demo.localhost"))))
"""


def furnish(people: People, folder: Path) -> dict[str, str]:
    """Do a little of everything, so that no page is empty; return the addresses that came out of it."""
    lead = people.context("lead").new_page()
    steps.make_campaign(lead, "Autumn campaign", "autumn")
    small = folder / "small.jsonl"
    small.write_text(
        '{"messages": [{"role": "user", "content": "I slept badly."}, '
        '{"role": "assistant", "content": "What kept you awake?"}]}\nnot json\n'
    )
    steps.import_file(lead, small, "A small file", "autumn")
    found = {"import": lead.url}
    lead.goto("/data/upload/")
    lead.get_by_label("File").set_input_files(small)
    lead.get_by_label("Name of the new source").fill("Another small file")
    lead.get_by_role("button", name="Upload and check").click()
    expect(lead.get_by_role("heading", name="Check small.jsonl")).to_be_visible()
    found["preview"] = lead.url
    lead.goto("/people/")
    lead.get_by_label("E-mail address").fill("new@clinic.example")
    lead.get_by_label("Role").first.select_option("annotator")
    lead.get_by_role("button", name="Make an invitation link").click()
    found["invitation"] = _invitation_link(lead)
    lead.goto("/campaigns/autumn/")
    lead.get_by_label("Chiara Demo").check()
    lead.get_by_role("button", name="Save the people").click()
    steps.make_campaign(lead, "Winter campaign", "winter", requires_qualification=True)
    lead.get_by_label("Chiara Demo").check()
    lead.get_by_role("button", name="Save the people").click()
    lead.goto("/campaigns/demo/qualifications/")
    found["qualification"] = str(lead.get_by_role("link", name="Anna Demo").get_attribute("href"))
    found |= _recruit_a_little(people, lead, folder)
    lead.context.close()
    return found | _label_a_little(people)


def freeze_report(site: Site, people: People, folder: Path) -> dict[str, str]:
    """Let a campaign end short and its lead have the end looked at; return the address of the report."""
    with people.context("lead") as context:
        lead = context.new_page()
        campaign = steps.open_campaign(site, lead, folder, ["Anna Demo", "Bruno Demo"], samples=1)
        lead.get_by_role("button", name="Close the campaign").click()
        lead.get_by_role("button", name="Checkpoints").click()
        lead.get_by_role("button", name="Look at the end now").click()
        report = lead.get_by_role("link", name="Checkpoint 1")
        for _ in range(REPORT_WITHIN_SECONDS):
            if report.is_visible():
                break
            lead.wait_for_timeout(1000)
            lead.reload()
        address = str(report.get_attribute("href"))
    return {"checkpoint": address, "checkpoints": f"/campaigns/{campaign.slug}/checkpoints/"}


def _recruit_a_little(people: People, lead: Page, folder: Path) -> dict[str, str]:
    """Leave one application with the team, seen by its link alone."""
    recruiting.open_recruiting(lead, "autumn")
    with people.context("") as context:
        stranger = context.new_page()
        address = recruiting.begin(stranger, "autumn", "mara@clinic.example")
        recruiting.fill_in(stranger, folder)
        recruiting.send(stranger)
    recruiting.open_applicant(lead, "autumn")
    return {"application": address, "applicant": lead.url}


def _label_a_little(people: People) -> dict[str, str]:
    """Leave one annotator with a covered text on screen, one with an open one, one with nothing."""
    with people.context("annotator") as context:
        page = context.new_page()
        steps.start_labelling(page, "demo")
        for _ in range(3):
            steps.label_one(page, ANSWERS)
        steps.pass_until(page, is_covered=True)
        page.goto("/campaigns/demo/labels/")
        own = page.get_by_role("link", name="Open your label").first.get_attribute("href")
    with people.context("annotator2") as context:
        page = context.new_page()
        steps.start_labelling(page, "demo")
        steps.pass_until(page, is_covered=False)
        flag = page.get_by_role("button", name="Flag").get_attribute("href")
    with people.context("annotator3") as context:
        page = context.new_page()
        steps.start_labelling(page, "demo")
        page.get_by_role("button", name="Leave", exact=True).click()
        page.wait_for_url("/")
    return {"own label": str(own), "flag": str(flag)}


def _design_that_does_not_fit() -> str:
    """Return the query of a design that asks for more than three people can read in three days."""
    due_on = datetime.now(UTC).date() + timedelta(days=3)
    counts = {"training_samples": 10, "calibration_samples": 20, "anchor_samples": 50, "labels_per_sample": 2}
    rest = {"single_label_percent": 0, "repeat_percent": 4, "repeat_after_days": 7}
    return urlencode(counts | rest | {"expected_seconds_per_label": 300, "due_on": due_on.isoformat()})


def _invitation_link(lead: Page) -> str:
    return lead.get_by_label("Copy this link").input_value()


def all_pages(found: dict[str, str], record: Callable[[str], str]) -> list[Shown]:
    """Return every page; ``record`` returns the address of a row of a table of the board."""
    lead, annotator, engineer = "lead", "annotator2", "engineer"
    pages = [
        Shown("home", annotator, "/"),
        Shown("support", annotator, "/support/"),
        Shown("progress", lead, "/progress/"),
        Shown("admin:index", lead, "/board/"),
        Shown("account_login", STRANGER, "/accounts/login/"),
        Shown("account_logout", annotator, "/accounts/logout/"),
        Shown("account_email", annotator, "/accounts/email/"),
        Shown("account_confirm_email", STRANGER, "/accounts/confirm-email/nothing/"),
        Shown("account_change_password", annotator, "/accounts/password/change/"),
        Shown("account_reset_password", STRANGER, "/accounts/password/reset/"),
        Shown("account_reset_password_done", STRANGER, "/accounts/password/reset/done/"),
        Shown("usersessions_list", annotator, "/accounts/sessions/"),
        Shown("mfa_index", annotator, "/accounts/2fa/"),
        Shown("mfa_reauthenticate", annotator, "/accounts/2fa/reauthenticate/"),
        Shown("mfa_list_webauthn", annotator, "/accounts/2fa/passkeys/"),
        Shown("accounts:people", lead, "/people/"),
        Shown("accounts:accept_invitation", STRANGER, found["invitation"]),
        Shown("accounts:account", annotator, "/account/"),
        Shown("api:reference", annotator, "/api/v1/"),
        Shown("data:sources", lead, "/data/"),
        Shown("data:conversations", lead, "/data/conversations/"),
        Shown("data:upload", lead, "/data/upload/"),
        Shown("data:preview", lead, found["preview"]),
        Shown("data:import", lead, found["import"]),
        Shown("data:rejects", lead, f"{found['import']}rejects/"),
        Shown("runs:list", lead, "/datasets/phase-1/"),
        Shown("runs:run", lead, found["done run"], "done"),
        Shown("runs:run", lead, found["failed run"], "failed"),
        Shown("runs:run", lead, found["running run"], "running"),
        Shown("annotation:care", annotator, "/care/"),
        Shown("annotation:own_data", annotator, "/own-data/"),
        Shown("annotation:campaigns", lead, "/campaigns/"),
        Shown("annotation:create_campaign", lead, "/campaigns/new/"),
        Shown("annotation:campaign", lead, "/campaigns/demo/"),
        Shown("annotation:plan", lead, "/campaigns/demo/plan/"),
        Shown("annotation:plan", lead, "/campaigns/autumn/plan/", "draft"),
        Shown("annotation:plan", lead, f"/campaigns/demo/plan/?{_design_that_does_not_fit()}", "infeasible"),
        Shown("annotation:join", STRANGER, "/join/autumn/"),
        Shown("annotation:apply", STRANGER, "/join/autumn/apply/"),
        Shown("annotation:application", STRANGER, found["application"], "by link alone"),
        Shown("annotation:applicant_guideline", STRANGER, f"{found['application']}guideline/"),
        Shown("annotation:recruiting", lead, "/campaigns/autumn/recruiting/"),
        Shown("annotation:recruiting", lead, "/campaigns/demo/recruiting/", "empty"),
        Shown("annotation:recruiting_facts", lead, "/campaigns/autumn/recruiting/facts/"),
        Shown("annotation:question_bank", lead, "/campaigns/autumn/recruiting/questions/"),
        Shown("annotation:applicant", lead, found["applicant"]),
        Shown("annotation:dashboard", lead, "/campaigns/demo/dashboard/"),
        Shown("annotation:obstacles", lead, "/campaigns/demo/agreement/obstacles/"),
        Shown("annotation:obstacle_samples", lead, "/campaigns/demo/agreement/obstacles/samples/"),
        Shown("annotation:agreement", lead, "/campaigns/demo/agreement/"),
        Shown("annotation:checkpoints", lead, "/campaigns/demo/checkpoints/"),
        Shown("annotation:checkpoints", lead, found["checkpoints"], "ended"),
        Shown("annotation:checkpoint_report", lead, found["checkpoint"]),
        Shown("annotation:figure", lead, "/campaigns/demo/figures/labelled/"),
        Shown("annotation:sample", lead, "/campaigns/demo/samples/1/"),
        Shown("annotation:danger_cases", lead, "/campaigns/demo/dangerous/"),
        Shown("annotation:danger_matrix", lead, "/campaigns/demo/dangerous/matrix/"),
        Shown("annotation:support_contacts", lead, "/support/contacts/"),
        Shown("annotation:hours", "annotator", "/campaigns/demo/hours/"),
        Shown("annotation:hours", "annotator3", "/campaigns/autumn/hours/", "empty"),
        Shown("annotation:statement", "annotator", f"/campaigns/demo/hours/{datetime.now(UTC):%Y/%m}/"),
        Shown("annotation:payroll", lead, "/campaigns/demo/pay/"),
        Shown("annotation:forecast", lead, "/campaigns/demo/forecast/"),
        Shown("annotation:selection", lead, "/campaigns/summer/selection/"),
        Shown("annotation:selection", lead, "/campaigns/autumn/selection/", "empty"),
        Shown("annotation:selection", lead, "/campaigns/unpicked/selection/", "to select"),
        Shown("annotation:selection", lead, "/campaigns/picking/selection/", "running"),
        Shown("annotation:selection", lead, "/campaigns/stopped/selection/", "failed"),
        Shown("annotation:payroll", lead, "/campaigns/autumn/pay/", "empty"),
        Shown("annotation:guideline", annotator, "/campaigns/demo/guideline/"),
        Shown("annotation:change_guideline", lead, "/campaigns/demo/guideline/new/"),
        Shown("annotation:workbench", annotator, "/campaigns/demo/label/"),
        Shown("annotation:workbench", "annotator", "/campaigns/demo/label/", "covered"),
        Shown("annotation:workbench", "annotator3", "/campaigns/demo/label/", "away"),
        Shown("annotation:workbench", "annotator3", "/campaigns/autumn/label/", "empty"),
        Shown("annotation:workbench", "annotator3", "/campaigns/winter/label/", "kept back"),
        Shown("annotation:own_qualification", annotator, "/campaigns/demo/qualification/"),
        Shown("annotation:own_qualification", "annotator3", "/campaigns/winter/qualification/", "missing"),
        Shown("annotation:qualifications", lead, "/campaigns/demo/qualifications/"),
        Shown("annotation:qualification", lead, found["qualification"]),
        Shown("annotation:calibration", lead, "/campaigns/demo/calibration/"),
        Shown("annotation:calibration", "adjudicator", "/campaigns/spring/calibration/", "senior"),
        Shown("annotation:settle_sample", "adjudicator", found["calibration sample"]),
        Shown("annotation:review_calibration", "adjudicator", found["review"]),
        Shown("annotation:documents", annotator, "/documents/"),
        Shown("annotation:document", annotator, "/documents/consent/"),
        Shown("annotation:publish_document", lead, "/documents/consent/new/"),
        Shown("annotation:training", annotator, "/learn/"),
        Shown("annotation:training_module", annotator, "/learn/crisis/"),
        Shown("annotation:mock_sample", annotator, "/learn/mock/1/"),
        Shown("annotation:flag_sample", annotator, found["flag"]),
        Shown("annotation:own_labels", "annotator", "/campaigns/demo/labels/"),
        Shown("annotation:correct_label", "annotator", found["own label"]),
        Shown("no such page", annotator, "/nothing/here/"),
    ]
    for table, who in (
        ("accounts_rolegrant", lead),
        ("audit_accessevent", engineer),
        ("audit_chainentry", engineer),
        ("audit_anchor", engineer),
        ("datasets_app_source", lead),
        ("datasets_app_importjob", lead),
        ("datasets_app_datasetrun", lead),
        ("annotation_campaign", lead),
        ("annotation_campaignmember", lead),
        ("annotation_sample", lead),
        ("annotation_selectionrun", lead),
        ("annotation_assignment", lead),
        ("annotation_label", lead),
        ("annotation_schemeversion", lead),
        ("annotation_guidelineversion", lead),
    ):
        app, model = table.rsplit("_", 1)
        pages.append(Shown(f"admin:{table}_changelist", who, f"/board/{app}/{model}/"))
        pages.append(Shown(f"admin:{table}_change", who, record(table)))
    for app, who in (("accounts", lead), ("audit", engineer), ("datasets_app", lead), ("annotation", lead)):
        pages.append(Shown(f"admin:app_list {app}", who, f"/board/{app}/"))
    return pages
