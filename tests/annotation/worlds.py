"""Small campaigns with real conversations in them, built through the product's own services."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from annotation.assignment import sittings
from annotation.assignment.planning import revise_plan
from annotation.campaigns.services import create_campaign
from annotation.labelling.services import Submission, record_label
from annotation.learning.content import modules
from annotation.models import (
    Assignment,
    Campaign,
    CampaignMember,
    CampaignState,
    DocumentVersion,
    Label,
    Licence,
    ModuleAttempt,
    Outcome,
    QualificationDecision,
    Sample,
    Signature,
)
from annotation.qualification import services
from annotation.qualification.facts import facts_of
from annotation.qualification.gate import admission_of
from datasets_app.models import Conversation, ImportJob, ImportState, Source
from datasets_app.sources.records import Turn
from datasets_app.texts import encode_turns
from prometheus_site.accounts.models import User
from prometheus_site.core import sealing

GOOD_ANSWERS: dict[str, object] = {
    "crisis_intensity": "0",
    "crisis_confidence": "4",
    "modality_primary": "supportive",
    "empathy_emotional_reaction": "1",
    "empathy_interpretation": "1",
    "empathy_exploration": "0",
    "empathy_global": "3",
    "reply_safety": "pass",
}
# Added to the good answers: somebody is in danger now.
CRISIS: dict[str, object] = {
    "crisis_intensity": "5",
    "crisis_types": ["violence"],
    "suicidal_behaviour": "none",
}


def make_conversations(number: int, *, source_name: str = "made up", turns: int = 2) -> list[Conversation]:
    """Return conversations in one source, as a finished import leaves them."""
    source, _ = Source.objects.get_or_create(name=source_name, defaults={"is_synthetic": True})
    job = ImportJob.objects.create(
        source=source, file_name="made-up.jsonl", format="chatml", state=ImportState.DONE
    )
    made = []
    for row in range(1, number + 1):
        spoken = [
            Turn("user" if turn % 2 == 0 else "assistant", f"{source_name}: what was said, {row}.{turn}")
            for turn in range(turns)
        ]
        sealed = sealing.seal(encode_turns(spoken), source.key_scope)
        made.append(
            Conversation.objects.create(
                source=source,
                import_job=job,
                source_key=f"{row}",
                row=row,
                text=sealed,
                content_digest=sealed.digest,
                turn_count=turns,
                word_count=5 * turns,
                has_client_turn=True,
                has_assistant_turn=turns > 1,
            )
        )
    return made


def make_campaign(
    lead: User,
    annotators: Sequence[User],
    *,
    samples: int = 6,
    slug: str = "made-up",
    labels_per_sample: int = 2,
    turns: int = 2,
    is_simulated: bool = False,
) -> Campaign:
    """Return an open campaign of whole conversations with these people in it, its plan made."""
    campaign = create_campaign(
        name=f"Campaign {slug}",
        slug=slug,
        created_by=lead,
        labels_per_sample=labels_per_sample,
        is_simulated=is_simulated,
    )
    for conversation in make_conversations(samples, source_name=f"source of {slug}", turns=turns):
        Sample.objects.create(
            campaign=campaign,
            conversation=conversation,
            number=conversation.row,
            window_start=0,
            window_stop=conversation.turn_count,
            has_client_turn=conversation.has_client_turn,
            has_assistant_turn=conversation.has_assistant_turn,
        )
    if campaign.requires_qualification:
        qualify(campaign, lead)  # who may label as well, in some tests
    for annotator in annotators:
        join(campaign, annotator)
    campaign.state = CampaignState.OPEN
    campaign.save()
    revise_plan(campaign=campaign, because="made up")
    return campaign


def join(campaign: Campaign, person: User, **fields: Any) -> CampaignMember:
    """Add a person to the campaign, qualified where that is required; the plan does not move yet."""
    member: CampaignMember = CampaignMember.objects.create(campaign=campaign, user=person, **fields)
    if campaign.requires_qualification:
        qualify(campaign, person)
    return member


def qualify(campaign: Campaign, *people: User) -> None:
    """Let these people have all that the gate asks for, without the plan following."""
    for person in people:
        make_ready(person)
        decided(campaign, person)


def make_ready(person: User, *, licence_ends_at: datetime | None = None) -> None:
    """Let the person sign every document and do the training, and a checked licence be there."""
    Signature.objects.bulk_create(
        [
            Signature(document=one, signer=person, sha256=one.sha256, confirmed_by="password")
            for one in DocumentVersion.objects.exclude(signatures__signer=person)
        ]
    )
    ModuleAttempt.objects.bulk_create(
        [
            ModuleAttempt(learner=person, module=one.key, sha256=one.sha256, questions=1, right=1)
            for one in modules()
        ]
    )
    ends_at = licence_ends_at or timezone.now() + timedelta(days=365)
    Licence.objects.create(
        clinician=person,
        number=sealing.seal("MADE-UP 1", services.person_scope(person)),
        jurisdiction="Nowhere",
        expires_on=ends_at.date(),
        time_zone="UTC",
        ends_at=ends_at,
        is_checked=True,
        recorded_by=person,
        recorded_at=timezone.now(),
    )


def decided(campaign: Campaign, person: User, outcome: Outcome = Outcome.PROVISIONAL) -> None:
    """Write a decision on the person and what it admits to, without the plan following."""
    assert campaign.created_by is not None
    place = QualificationDecision.objects.filter(campaign=campaign, clinician=person).count() + 1
    QualificationDecision.objects.create(
        campaign=campaign,
        clinician=person,
        outcome=outcome,
        because=sealing.seal("Made up.", services.person_scope(person)),
        decided_by=campaign.created_by,
        place=place,
    )
    [facts] = facts_of(campaign, [person.pk]).values()
    admitted = admission_of(facts)
    if admitted is not None:
        campaign.admissions.update_or_create(clinician=person, defaults=vars(admitted))


def submission(campaign: Campaign, **changes: object) -> Submission:
    """Return a submission that the default scheme takes; ``answers`` adds to the good ones."""
    answers = GOOD_ANSWERS | changes.pop("answers", {})  # type: ignore[operator]
    return Submission(
        **({"key": uuid.uuid4(), "guideline_id": campaign.guideline_id, "answers": answers} | changes)
    )


def label(
    campaign: Campaign, annotator: User, number: int, *, locks: bool = True, **changes: object
) -> Label:
    """Store a label of that sample by that annotator, through the service; the sitting ends, so it locks."""
    assignment = Assignment.objects.get(
        campaign=campaign, annotator=annotator, sample__number=number, repeat_number=0
    )
    given = record_label(
        annotator=annotator, assignment=assignment, submission=submission(campaign, **changes)
    ).label
    if locks:
        sittings.end(campaign=campaign, annotator=annotator)
    return given
