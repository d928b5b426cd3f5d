"""Every page of the site: who looks at it, and where it is in a furnished demo installation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.annotation.worlds import GOOD_ANSWERS
from tests.e2e import steps
from tests.e2e.people import People

ANSWERS = {key: str(value) for key, value in GOOD_ANSWERS.items()}
STRANGER = ""


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
    "annotation_api:export_csv": "a file",
    "annotation_api:export_jsonl": "a file",
    "annotation:example_scheme": "a file",
    "annotation:example_guideline": "a file",
}


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
    lead.context.close()
    return found | _label_a_little(people)


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
        Shown("annotation:campaigns", lead, "/campaigns/"),
        Shown("annotation:create_campaign", lead, "/campaigns/new/"),
        Shown("annotation:campaign", lead, "/campaigns/demo/"),
        Shown("annotation:plan", lead, "/campaigns/demo/plan/"),
        Shown("annotation:dashboard", lead, "/campaigns/demo/dashboard/"),
        Shown("annotation:figure", lead, "/campaigns/demo/figures/labelled/"),
        Shown("annotation:sample", lead, "/campaigns/demo/samples/1/"),
        Shown("annotation:guideline", annotator, "/campaigns/demo/guideline/"),
        Shown("annotation:change_guideline", lead, "/campaigns/demo/guideline/new/"),
        Shown("annotation:workbench", annotator, "/campaigns/demo/label/"),
        Shown("annotation:workbench", "annotator", "/campaigns/demo/label/", "covered"),
        Shown("annotation:workbench", "annotator3", "/campaigns/demo/label/", "away"),
        Shown("annotation:workbench", "annotator3", "/campaigns/autumn/label/", "empty"),
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
        ("annotation_campaign", lead),
        ("annotation_campaignmember", lead),
        ("annotation_sample", lead),
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
