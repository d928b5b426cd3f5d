"""Load the shipped conversations into a campaign of their own, through the same doors as any others."""

from datetime import timedelta
from pathlib import Path

import orjson
from django.utils import timezone

from annotation.agreements.services import sign
from annotation.campaigns.services import change_state, create_campaign, set_members
from annotation.intake.services import take_in_import
from annotation.learning.content import modules
from annotation.learning.services import answer_module
from annotation.models import Campaign, CampaignState, Outcome, Sample
from annotation.qualification.facts import documents_in_force
from annotation.qualification.services import decide, record_licence
from datasets_app.importing.running import import_file
from datasets_app.models import ImportState, Source
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

CONVERSATIONS = Path(__file__).parent / "conversations.jsonl"
SLUG = "demo"
CONFIRMED_BY = "demo"  # nobody confirmed anything: the person does not exist
LICENCE_DAYS = 365


class DemoNotLoadedError(Exception):
    """The shipped conversations could not be imported."""


def load_demo_campaign(*, lead: User, members: list[User]) -> Campaign:
    """Return an open campaign of the shipped synthetic conversations with these people in it."""
    campaign = create_campaign(name="Demonstration", slug=SLUG, created_by=lead)
    source, _ = Source.objects.get_or_create(
        name="Shipped demonstration",
        defaults={"license_tag": "written for Prometheus", "is_synthetic": True, "created_by": lead},
    )
    job = import_file(path=CONVERSATIONS, source=source, format="chatml", options={}, campaign_slug=SLUG)
    if job.state != ImportState.DONE:
        raise DemoNotLoadedError(job.problem)
    take_in_import(job=job, campaign_slug=SLUG)
    Sample.objects.filter(campaign=campaign, conversation__row__in=_severe_rows()).update(
        is_estimated_severe=True
    )
    set_members(campaign=campaign, user_ids=[user.pk for user in members], changed_by=lead)
    for member in members:
        if member.has_role(Role.ANNOTATOR):
            _qualify(campaign, member, lead)
    change_state(campaign=campaign, state=CampaignState.OPEN, changed_by=lead)
    campaign.refresh_from_db()
    return campaign


def _qualify(campaign: Campaign, clinician: User, lead: User) -> None:
    """Give a made-up person all that the gate asks for, through the doors that everybody takes."""
    for document in documents_in_force().values():
        sign(document=document, sha256=document.sha256, signer=clinician, confirmed_by=CONFIRMED_BY)
    for module in modules():
        right = [question.right for question in module.questions]
        answer_module(learner=clinician, module=module, chosen=right)
    record_licence(
        clinician=clinician,
        number=f"DEMO-{clinician.code[2:]}-1",
        jurisdiction="Made up",
        expires_on=timezone.localdate() + timedelta(days=LICENCE_DAYS),
        time_zone="Europe/London",
        recorded_by=lead,
        is_checked=True,
    )
    decide(
        campaign=campaign,
        clinician=clinician,
        outcome=Outcome.PROVISIONAL,
        because="A made-up person of the demonstration.",
        decided_by=lead,
    )


def _severe_rows() -> list[int]:
    """Return the rows that their writer meant to be severe: an estimate for the page, never a label."""
    lines = CONVERSATIONS.read_bytes().splitlines()
    return [row for row, line in enumerate(lines, start=1) if orjson.loads(line)["estimated_severe"]]
