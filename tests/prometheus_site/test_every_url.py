"""Every address by every role, an outsider and a stranger, from the URLconf; an unlisted address fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from annotation.assignment.queue import assign_next
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.services import declare_first_looks, sign_reports
from annotation.dangerous.services import open_all_cases
from annotation.models import (
    AssignmentState,
    Campaign,
    CampaignMember,
    CheckpointReport,
    DangerCase,
    EndRequest,
    MailState,
    OutgoingMail,
    SelectionRun,
    TopicOptOut,
)
from datasets_app.importing.services import store_upload
from datasets_app.models import DatasetRun, ImportJob, ImportState, RunState
from prometheus_site.accounts.api_tokens import create_api_token
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.accounts.services import invite
from prometheus_site.audit.models import AccessEvent, Anchor, ChainEntry
from prometheus_site.audit.services import anchor_heads
from tests import people
from tests.annotation.recruitment.applying import Stranger, recruit
from tests.annotation.selection.making import furnish_run
from tests.annotation.worlds import CRISIS, label, make_campaign
from tests.datasets_app.runs.making import waiting_run

STRANGER = "stranger"
PEOPLE = ("outsider", "annotator", "adjudicator", "lead", "supervisor", "engineer", "applicant")
SIGNED_IN = frozenset(PEOPLE)
EVERYBODY = SIGNED_IN | {STRANGER}
ANNOTATOR, LEAD, ENGINEER = frozenset({"annotator"}), frozenset({"lead"}), frozenset({"engineer"})
BOARD = LEAD | ENGINEER
SENIORS = LEAD | {"adjudicator"}
PAID = frozenset({"annotator", "adjudicator"})
IN_CAMPAIGN = frozenset({"annotator", "adjudicator", "lead"})
SIGNERS, LEARNERS = frozenset({"annotator", "applicant"}), IN_CAMPAIGN | {"applicant"}
FOUND = frozenset({200})
DONE = frozenset({302})
ANSWERED = frozenset({200, 302, 422})


@dataclass(frozen=True)
class Rule:
    """Who finds something here, what they get, and what the address needs.

    A signed-in person outside ``may`` gets 404, a stranger outside it is sent to sign in.
    """

    may: frozenset[str]
    gives: frozenset[int] = FOUND
    method: str = "get"
    needs: tuple[str, ...] = ()
    data: dict[str, str] = field(default_factory=dict)
    is_of_one_campaign: bool = True  # else everybody may look at the page of any campaign


# allauth's own pages are for the signed-in person about that person's own account, or public by nature.
OWN = Rule(SIGNED_IN, gives=ANSWERED)
PUBLIC = Rule(EVERYBODY, gives=ANSWERED)
# Asked to confirm who they are before they are told that there is no such passkey of theirs.
NOBODYS_PASSKEY = Rule(SIGNED_IN, gives=frozenset({302, 404}), needs=("nobody's passkey",))
RULES: dict[str, Rule] = {
    "home": Rule(SIGNED_IN),
    "health": Rule(EVERYBODY),
    "support": Rule(EVERYBODY),
    "progress": Rule(BOARD),
    "admin:index": Rule(BOARD),
    "admin:login": Rule(BOARD | {STRANGER}, gives=DONE),
    "admin:logout": Rule(BOARD, gives=DONE),
    "account_login": PUBLIC,
    "account_logout": PUBLIC,
    "account_inactive": PUBLIC,
    "account_reauthenticate": OWN,
    "account_email": OWN,
    "account_email_verification_sent": PUBLIC,
    "account_confirm_email": Rule(EVERYBODY, needs=("no such key",)),
    "account_change_password": OWN,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "account_reset_password_from_key": Rule(EVERYBODY, gives=ANSWERED, needs=("uid", "no such key")),
    "usersessions_list": OWN,
    "mfa_index": OWN,
    "mfa_authenticate": Rule(EVERYBODY, gives=DONE),  # only in the middle of signing in
    "mfa_reauthenticate": OWN,
    "mfa_activate_totp": OWN,
    "mfa_deactivate_totp": Rule(SIGNED_IN, gives=ANSWERED | {404}),
    "mfa_view_recovery_codes": Rule(SIGNED_IN, gives=ANSWERED | {404}),
    "mfa_generate_recovery_codes": Rule(SIGNED_IN, gives=ANSWERED | {404}),
    "mfa_download_recovery_codes": Rule(SIGNED_IN, gives=ANSWERED | {404}),
    "mfa_list_webauthn": OWN,
    "mfa_add_webauthn": OWN,
    "mfa_login_webauthn": PUBLIC,
    "mfa_reauthenticate_webauthn": Rule(SIGNED_IN, gives=ANSWERED),
    "mfa_remove_webauthn": NOBODYS_PASSKEY,
    "mfa_edit_webauthn": NOBODYS_PASSKEY,
    "accounts:people": Rule(LEAD),
    "accounts:invite": Rule(LEAD, gives=frozenset({422}), method="post"),
    "accounts:revoke_invitation": Rule(LEAD, gives=DONE, method="post", needs=("invitation",)),
    "accounts:grant_role": Rule(
        LEAD, gives=ANSWERED, method="post", needs=("outsider",), data={"role": "annotator"}
    ),
    "accounts:revoke_role": Rule(
        LEAD, gives=ANSWERED, method="post", needs=("outsider",), data={"role": "annotator"}
    ),
    "accounts:accept_invitation": Rule(EVERYBODY, gives=frozenset({200, 409}), needs=("token",)),
    "accounts:account": Rule(SIGNED_IN),
    "accounts:create_api_token": Rule(SIGNED_IN, gives=frozenset({422}), method="post"),
    "accounts:revoke_api_token": Rule(LEAD, gives=DONE, method="post", needs=("lead's token",)),
    "accounts:totp_qr": Rule(frozenset()),  # 404 unless a secret waits in the person's own session
    "api:reference": Rule(SIGNED_IN),
    "api:schema": Rule(SIGNED_IN),
    "api:unknown_address": Rule(frozenset(), needs=("no such address",)),
    "data:sources": Rule(BOARD),
    "data:conversations": Rule(BOARD),
    "data:upload": Rule(LEAD),
    "data:preview": Rule(LEAD, needs=("upload",)),
    "data:discard_upload": Rule(LEAD, gives=DONE, method="post", needs=("upload",)),
    "data:import": Rule(BOARD, needs=("import",)),
    "data:retry_import": Rule(LEAD, gives=DONE, method="post", needs=("import",)),
    "data:rejects": Rule(BOARD, needs=("import",)),
    "runs:list": Rule(BOARD),
    "runs:run": Rule(BOARD, needs=("run",)),
    "runs:cancel": Rule(BOARD, gives=DONE, method="post", needs=("run",)),
    "runs:resume": Rule(BOARD, gives=DONE, method="post", needs=("run",)),
    "annotation:care": Rule(ANNOTATOR),
    "annotation:support_contacts": Rule(LEAD),
    "annotation:own_data": Rule(SIGNED_IN),
    "annotation:download_own_data": Rule(SIGNED_IN),
    "annotation:set_care_limits": Rule(ANNOTATOR, gives=frozenset({422}), method="post"),
    "annotation:opt_out": Rule(ANNOTATOR, gives=frozenset({422}), method="post"),
    "annotation:opt_in": Rule(ANNOTATOR, gives=DONE, method="post", needs=("opt-out",)),
    "annotation:check_in": Rule(ANNOTATOR, gives=frozenset({422}), method="post"),
    # Without a login; a link alone opens no more than the stage, so what changes something is refused.
    "annotation:join": Rule(EVERYBODY, needs=("slug",), is_of_one_campaign=False),
    "annotation:apply": Rule(EVERYBODY, needs=("slug",), is_of_one_campaign=False),
    "annotation:application": Rule(EVERYBODY, needs=("application's token",)),
    "annotation:open_application": Rule(
        EVERYBODY, gives=frozenset({422}), method="post", needs=("application's token",)
    ),
    "annotation:confirm_address": Rule(frozenset(), method="post", needs=("application's token",)),
    "annotation:withdraw_application": Rule(frozenset(), method="post", needs=("application's token",)),
    "annotation:applicant_guideline": Rule(EVERYBODY, needs=("application's token",)),
    "annotation:quiz": Rule(frozenset(), needs=("application's token",)),
    "annotation:start_quiz": Rule(frozenset(), method="post", needs=("application's token",)),
    "annotation:finish_quiz": Rule(frozenset(), method="post", needs=("application's token",)),
    "annotation:quiz_question": Rule(frozenset(), needs=("application's token", "number")),
    "annotation:recruiting": Rule(LEAD, needs=("slug",)),
    "annotation:recruiting_facts": Rule(LEAD, needs=("slug",)),
    "annotation:change_recruiting": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:question_bank": Rule(LEAD, needs=("slug",)),
    "annotation:applicant": Rule(LEAD, needs=("slug", "application")),
    "annotation:move_applicant": Rule(
        LEAD, gives=frozenset({422}), method="post", needs=("slug", "application")
    ),
    "annotation:take_in_applicant": Rule(
        LEAD, gives=frozenset({422}), method="post", needs=("slug", "application")
    ),
    "annotation:download_cv": Rule(LEAD, needs=("slug", "application")),
    "annotation:revoke_application_links": Rule(
        LEAD, gives=DONE, method="post", needs=("slug", "application")
    ),
    "annotation:erase_applicant": Rule(LEAD, gives=DONE, method="post", needs=("slug", "application")),
    "annotation:hand_over_mail": Rule(LEAD, method="post", needs=("slug", "application", "mail")),
    "annotation:campaigns": Rule(IN_CAMPAIGN),
    "annotation:create_campaign": Rule(LEAD),
    "annotation:example_scheme": Rule(LEAD),
    "annotation:example_guideline": Rule(LEAD),
    "annotation:campaign": Rule(LEAD, needs=("slug",)),
    "annotation:change_campaign_state": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:change_members": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:obstacles": Rule(LEAD, needs=("slug",)),
    "annotation:obstacle_samples": Rule(LEAD, needs=("slug",)),
    "annotation:plan": Rule(LEAD, needs=("slug",)),
    "annotation:accept_plan": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:set_hours": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:pause_member": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:resume_member": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:dashboard": Rule(LEAD, needs=("slug",)),
    "annotation:agreement": Rule(LEAD, needs=("slug",)),
    "annotation:reveal_names": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:hide_names": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:checkpoints": Rule(LEAD, needs=("slug",)),
    "annotation:declare_looks": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:ask_for_end": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:checkpoint_report": Rule(LEAD, needs=("slug", "checkpoint")),
    "annotation:download_checkpoint_report": Rule(LEAD, needs=("slug", "checkpoint")),
    "annotation:figure": Rule(LEAD, needs=("slug", "figure")),
    "annotation:sample": Rule(LEAD, needs=("slug", "number")),
    "annotation:open_sample": Rule(LEAD, gives=DONE, method="post", needs=("slug", "number")),
    "annotation:danger_cases": Rule(SENIORS, needs=("slug",)),
    "annotation:danger_matrix": Rule(SENIORS, needs=("slug",)),
    "annotation:danger_case": Rule(SENIORS, needs=("slug", "case")),
    "annotation:open_danger_text": Rule(SENIORS, gives=DONE, method="post", needs=("slug", "case")),
    "annotation:forecast": Rule(LEAD, needs=("slug",)),
    "annotation:selection": Rule(LEAD, needs=("slug",)),
    "annotation:start_selection": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:cancel_selection": Rule(LEAD, gives=DONE, method="post", needs=("slug", "selection run")),
    "annotation:resume_selection": Rule(LEAD, gives=DONE, method="post", needs=("slug", "selection run")),
    "annotation:hours": Rule(PAID, needs=("slug",)),
    "annotation:statement": Rule(PAID, needs=("slug", "year", "month")),
    "annotation:statement_csv": Rule(PAID, needs=("slug", "year", "month")),
    "annotation:payroll": Rule(LEAD, needs=("slug",)),
    "annotation:payroll_csv": Rule(LEAD, needs=("slug", "year", "month")),
    "annotation:set_terms": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:set_rate": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:correct_pay": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug",)),
    "annotation:close_month": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    "annotation:guideline": Rule(IN_CAMPAIGN, needs=("slug",)),
    "annotation:change_guideline": Rule(LEAD, needs=("slug",)),
    "annotation:own_qualification": Rule(ANNOTATOR, needs=("slug",)),
    "annotation:qualifications": Rule(LEAD, needs=("slug",)),
    "annotation:qualification": Rule(LEAD, needs=("slug", "code")),
    "annotation:check_licence": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug", "code")),
    "annotation:decide": Rule(LEAD, gives=frozenset({422}), method="post", needs=("slug", "code")),
    "annotation:calibration": Rule(frozenset({"adjudicator", "lead"}), needs=("slug",)),
    "annotation:set_threshold": Rule(LEAD, gives=DONE, method="post", needs=("slug",)),
    # Open to a senior who labelled the sample blind: see tests/annotation/qualification.
    "annotation:settle_sample": Rule(frozenset(), needs=("slug", "number")),
    "annotation:open_calibration_text": Rule(frozenset(), method="post", needs=("slug", "number")),
    "annotation:review_calibration": Rule(frozenset({"adjudicator"}), needs=("slug", "code")),
    "annotation:documents": Rule(LEARNERS),
    "annotation:document": Rule(LEARNERS, needs=("document",)),
    "annotation:sign_document": Rule(SIGNERS, gives=frozenset({422}), method="post", needs=("document",)),
    "annotation:publish_document": Rule(LEAD, needs=("document",)),
    "annotation:training": Rule(LEARNERS),
    "annotation:training_module": Rule(LEARNERS, needs=("module",)),
    "annotation:mock_sample": Rule(LEARNERS, needs=("number",)),
    "annotation:workbench": Rule(ANNOTATOR, needs=("slug",)),
    "annotation:fetch_next": Rule(ANNOTATOR, gives=DONE, method="post", needs=("slug",)),
    "annotation:save_label": Rule(
        ANNOTATOR, gives=frozenset({422}), method="post", needs=("slug", "assignment")
    ),
    "annotation:undo": Rule(ANNOTATOR, gives=DONE, method="post", needs=("slug",)),
    "annotation:leave": Rule(ANNOTATOR, gives=DONE, method="post", needs=("slug",)),
    "annotation:open_severe": Rule(ANNOTATOR, gives=DONE, method="post", needs=("slug", "assignment")),
    "annotation:flag_sample": Rule(ANNOTATOR, needs=("slug", "assignment")),
    "annotation:own_labels": Rule(ANNOTATOR, needs=("slug",)),
    "annotation:correct_label": Rule(ANNOTATOR, needs=("slug", "label")),
    # Programs send JSON; an empty object is refused with the fields that are missing.
    "annotation_api:next": Rule(ANNOTATOR, method="post", needs=("slug",)),
    "annotation_api:undo": Rule(ANNOTATOR, gives=frozenset({409}), method="post", needs=("slug",)),
    "annotation_api:leave": Rule(ANNOTATOR, method="post", needs=("slug",)),
    "annotation_api:progress": Rule(ANNOTATOR, needs=("slug",)),
    "annotation_api:beat": Rule(PAID, gives=frozenset({400}), method="post", needs=("slug",)),
    "annotation_api:hours": Rule(PAID, needs=("slug",)),
    "annotation_api:export_csv": Rule(LEAD, needs=("slug",)),
    "annotation_api:export_jsonl": Rule(LEAD, needs=("slug",)),
    "annotation_api:correct": Rule(ANNOTATOR, gives=frozenset({400}), method="post", needs=("slug", "label")),
    "annotation_api:label": Rule(
        ANNOTATOR, gives=frozenset({400}), method="post", needs=("slug", "assignment")
    ),
    "annotation_api:pass": Rule(
        ANNOTATOR, gives=frozenset({400}), method="post", needs=("slug", "assignment")
    ),
    "annotation_api:open": Rule(ANNOTATOR, method="post", needs=("slug", "assignment")),
    "annotation_api:draft": Rule(
        ANNOTATOR, gives=frozenset({400}), method="put", needs=("slug", "assignment")
    ),
    "annotation_api:flag": Rule(
        ANNOTATOR, gives=frozenset({400}), method="post", needs=("slug", "assignment")
    ),
}
WITHOUT_LOGIN = {name for name, rule in RULES.items() if "application's token" in rule.needs}
# The board's read-only record pages: who may read each table.
RECORDS: dict[str, frozenset[str]] = {
    "accounts_rolegrant": LEAD,
    "audit_accessevent": ENGINEER,
    "audit_chainentry": ENGINEER,
    "audit_anchor": ENGINEER,
    "datasets_app_source": BOARD,
    "datasets_app_importjob": BOARD,
    "datasets_app_datasetrun": BOARD,
    "annotation_campaign": LEAD,
    "annotation_campaignmember": LEAD,
    "annotation_sample": LEAD,
    "annotation_selectionrun": LEAD,
    "annotation_assignment": LEAD,
    "annotation_label": LEAD,
    "annotation_schemeversion": LEAD,
    "annotation_guidelineversion": LEAD,
}
for record, readers in RECORDS.items():
    RULES[f"admin:{record}_changelist"] = Rule(readers)
    RULES[f"admin:{record}_change"] = Rule(readers, needs=(record,))
for app in ("accounts", "audit", "datasets_app", "annotation"):
    readers = frozenset[str]().union(
        *(may for record, may in RECORDS.items() if record.startswith(f"{app}_"))
    )
    RULES[f"admin:app_list {app}"] = Rule(readers)
POSTED = sorted(name for name, rule in RULES.items() if rule.method != "get")
# The admin's last resort for addresses that do not exist.
CATCH_ALL = "admin:None"


def url_names(resolver: Any = None, namespace: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"
        else:
            yield from url_names(
                pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            )


def test_every_address_has_a_rule() -> None:
    found = set(url_names()) - {CATCH_ALL, "admin:app_list"}
    ruled = {name for name in RULES if not name.startswith("admin:app_list ")}
    assert found == ruled


@dataclass
class World:
    """One of everything, and a client per person."""

    clients: dict[str, Client]
    objects: dict[str, Any]

    def address(self, name: str) -> str:
        if name.startswith("admin:app_list "):
            return reverse("admin:app_list", args=[name.split()[1]])
        return reverse(name, args=[self.objects[need] for need in RULES[name].needs])


@pytest.fixture
def world(
    outsider: User,
    annotator: User,
    second_annotator: User,
    adjudicator: User,
    lead: User,
    supervisor: User,
    engineer: User,
    client_for: Callable[[User], Client],
) -> World:
    campaign = make_campaign(lead, [annotator, second_annotator])
    CampaignMember.objects.create(campaign=campaign, user=adjudicator)
    given = label(campaign, annotator, 1)
    leased = assign_next(campaign=campaign, annotator=annotator)
    assert leased is not None
    anchor_heads()
    frozen = freeze_end(campaign, lead)
    invitation, token = invite(email="new@example.org", role=Role.ANNOTATOR, invited_by=lead)
    upload = store_upload(
        file=SimpleUploadedFile("one.jsonl", b'{"messages": [{"role": "user", "content": "hello"}]}\n'),
        source=None,
        new_source="uploaded",
        license_tag="",
        is_synthetic=True,
        format="auto",
        encoding="",
        campaign="",
        user=lead,
    )
    recruit(campaign, lead)
    mara = Stranger(campaign).begin().send()
    unsent = mara.application.mails.get()
    OutgoingMail.objects.filter(pk=unsent.pk).update(state=MailState.NOT_SENT)
    token_of_lead, _ = create_api_token(user=lead, name="a program", was_second_factor_passed=True)
    applicant = people.make("applicant", Role.APPLICANT)
    CampaignMember.objects.create(campaign=campaign, user=applicant)  # it is the role that opens nothing
    everybody = (outsider, annotator, adjudicator, lead, supervisor, engineer, applicant)
    clients = {name: client_for(user) for name, user in zip(PEOPLE, everybody, strict=True)}
    return World(
        clients | {STRANGER: Client()},
        {
            "slug": campaign.slug,
            "number": 1,
            "year": 2026,
            "month": 11,
            "figure": "labelled",
            "code": annotator.code,
            "document": "consent",
            "module": "crisis",
            "assignment": leased.pk,
            "label": given.pk,
            "case": danger_case(campaign, second_annotator).pk,
            "opt-out": TopicOptOut.objects.create(user=annotator, topic="grief").pk,
            "checkpoint": frozen.number,
            "invitation": invitation.pk,
            "token": token,
            "application": mara.application.pk,
            "application's token": mara.page.split("/")[2],
            "mail": unsent.pk,
            "outsider": outsider.pk,
            "upload": upload.pk,
            "import": campaign.samples.all()[0].conversation.import_job_id,
            "run": waiting_run(lead).pk,
            "selection run": furnish_run(campaign, lead, RunState.FAILED).pk,
            "no such key": "nothing",
            "no such address": "nothing/here/",
            "lead's token": token_of_lead.pk,
            "uid": "0",
            "nobody's passkey": 4711,
        }
        | first_rows(campaign, lead),
    )


def danger_case(campaign: Campaign, second_annotator: User) -> DangerCase:
    """Let the second person see a crisis where the first saw none; return the case that opens."""
    label(campaign, second_annotator, 1, answers=CRISIS)
    open_all_cases()
    return DangerCase.objects.get()


def freeze_end(campaign: Campaign, lead: User) -> CheckpointReport:
    """Return the report of a campaign's end, though the campaign goes on."""
    declaration = declare_first_looks(campaign=campaign)
    assert declaration is not None
    EndRequest.objects.create(look=declaration.looks.get(is_end=True), requested_by=lead)
    [frozen] = freeze_due_looks(campaign)
    sign_reports()
    return frozen


def first_rows(campaign: Campaign, lead: User) -> dict[str, Any]:
    """Return the key of a row of each table of the board, as the lead or the engineer may see it."""
    rows: dict[str, Model | None] = {
        "accounts_rolegrant": RoleGrant.objects.filter(user=lead).first(),
        "audit_accessevent": AccessEvent.objects.first(),
        "audit_chainentry": ChainEntry.objects.first(),
        "audit_anchor": Anchor.objects.first(),
        "datasets_app_source": campaign.samples.all()[0].conversation.source,
        "datasets_app_importjob": ImportJob.objects.filter(state=ImportState.DONE).first(),
        "datasets_app_datasetrun": DatasetRun.objects.first(),
        "annotation_campaign": campaign,
        "annotation_campaignmember": campaign.members.first(),
        "annotation_sample": campaign.samples.first(),
        "annotation_selectionrun": SelectionRun.objects.first(),
        "annotation_assignment": campaign.assignments.filter(state=AssignmentState.LABELLED).first(),
        "annotation_label": campaign.labels.first(),
        "annotation_schemeversion": campaign.scheme,
        "annotation_guidelineversion": campaign.guideline,
    }
    return {name: row.pk for name, row in rows.items() if row is not None}


def ask(world: World, who: str, name: str) -> Any:
    rule = RULES[name]
    kind = {"content_type": "application/json"} if is_for_programs(name) else {}
    return getattr(world.clients[who], rule.method)(world.address(name), rule.data, **kind)


def is_for_programs(name: str) -> bool:
    return name.startswith("annotation_api:")


def is_as_ruled(world: World, who: str, name: str) -> bool:
    """Say whether this person gets at this address what the rule says."""
    rule, answer = RULES[name], ask(world, who, name)
    if who in rule.may:
        return bool(answer.status_code in rule.gives)
    if who == STRANGER:
        if name in WITHOUT_LOGIN:
            return bool(answer.status_code == 404)
        if name.startswith(("api:", "annotation_api:")) and answer.status_code == 401:
            return True  # programs are not sent to a page
        asked_in = str(answer.headers.get("Location", ""))
        return answer.status_code == 302 and asked_in.startswith(("/accounts/login/", "/board/login/"))
    return bool(answer.status_code == 404)


@pytest.mark.parametrize("who", [*PEOPLE, STRANGER])
def test_each_person_finds_the_pages_the_rules_say(who: str, world: World) -> None:
    pages = sorted(name for name, rule in RULES.items() if rule.method == "get")
    assert [name for name in pages if not is_as_ruled(world, who, name)] == []


@pytest.mark.parametrize("name", POSTED)
def test_each_person_may_change_what_the_rule_says(name: str, world: World) -> None:
    refused_first = sorted(EVERYBODY, key=lambda who: who in RULES[name].may)
    assert [who for who in refused_first if not is_as_ruled(world, who, name)] == []


def test_what_changes_something_cannot_be_reached_by_a_link(world: World) -> None:
    for name in POSTED:
        for who in sorted(RULES[name].may):
            assert world.clients[who].get(world.address(name)).status_code == 405, (name, who)


def test_another_campaigns_pages_are_not_found(world: World, lead: User) -> None:
    other = people.make("other-lead", Role.LEAD)
    foreign = make_campaign(other, [], slug="foreign")
    world.objects["slug"] = foreign.slug
    named = [name for name, rule in RULES.items() if rule.needs[:1] == ("slug",) and rule.is_of_one_campaign]
    assert len(named) > 20  # the rule is only a rule while there are such addresses
    for name in named:
        for who in PEOPLE:
            assert ask(world, who, name).status_code == 404, (name, who)


def test_addresses_that_do_not_exist_say_so(world: World) -> None:
    for who in PEOPLE:
        assert world.clients[who].get("/no/such/page/").status_code == 404
        assert world.clients[who].get("/board/no/such/page/").status_code == 404
    content_type = ContentType.objects.get_for_model(User).pk
    assert world.clients["lead"].get(f"/board/r/{content_type}/1/").status_code == 404
