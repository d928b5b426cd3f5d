"""Small campaigns with real conversations in them, built through the product's own services."""

import uuid
from collections.abc import Sequence

from annotation.assignment import sittings
from annotation.assignment.planning import revise_plan
from annotation.campaigns.services import create_campaign
from annotation.labelling.services import Submission, record_label
from annotation.models import Assignment, Campaign, CampaignMember, CampaignState, Label, Sample
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
    for annotator in annotators:
        CampaignMember.objects.create(campaign=campaign, user=annotator)
    campaign.state = CampaignState.OPEN
    campaign.save()
    revise_plan(campaign=campaign, because="made up")
    return campaign


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
