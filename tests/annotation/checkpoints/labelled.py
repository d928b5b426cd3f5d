"""Campaigns with many locked labels, stored in bulk: what the labelling service writes, without its chain."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from annotation.checkpoints.services import declare_first_looks
from annotation.models import Assignment, AssignmentState, Campaign, Label, LabelLock
from prometheus_site.accounts.models import User
from tests.annotation.worlds import GOOD_ANSWERS, make_campaign

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Answer = Callable[[int, int], Mapping[str, object]]
"""From the number of a sample and the place of a rater to what differs from the good answers."""

NOT_RATABLE: Mapping[str, object] = {
    "crisis_not_ratable": True,
    "crisis_intensity": None,
    "crisis_confidence": None,
}
CODES = {
    "crisis_intensity": ("0", "1", "2", "3", "4"),
    "modality_primary": ("cbt", "dbt", "person_centred", "supportive"),
    "empathy_global": ("1", "2", "3", "4"),
}


def make_declared_campaign(
    lead: User,
    annotators: Sequence[User],
    *,
    samples: int,
    slug: str = "looked-at",
    is_simulated: bool = False,
) -> Campaign:
    """Return an open campaign whose looks are declared."""
    campaign = make_campaign(lead, annotators, samples=samples, slug=slug, is_simulated=is_simulated)
    assert declare_first_looks(campaign=campaign, declared_by=lead) is not None
    return campaign


def agreeing(share: float, **shares: float) -> Answer:
    """Raters give the truth of a sample in this share of cases, by dimension where it is named."""

    def answer(number: int, rater: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, codes in CODES.items():
            truth = random.Random(f"{key} {number}").choice(codes)  # noqa: S311
            chooser = random.Random(f"{key} {number} {rater}")  # noqa: S311
            is_true = chooser.random() < shares.get(key, share)
            found[key] = truth if is_true else chooser.choice(codes)
        return found

    return answer


def label_samples(
    campaign: Campaign, numbers: Sequence[int], answer: Answer, *, raters: int | None = None
) -> None:
    """Give the planned first labels of these samples, or those of so many raters.

    Those of sample n lock n minutes after the morning; a label given in a later call locks a day later.
    """
    day = 1 if campaign.labels.exists() else 0
    slots = list(
        campaign.assignments.filter(
            sample__number__in=numbers, repeat_number=0, state=AssignmentState.WAITING
        )
        .select_related("sample")
        .order_by("sample__number", "annotator__code")
    )
    labels, seen = [], dict[int, int]()
    for slot in slots:
        number = slot.sample.number
        rater = seen[number] = seen.get(number, -1) + 1
        if raters is None or rater < raters:
            labels.append(_label(campaign, slot, {**GOOD_ANSWERS, **answer(number, rater)}, day=day))
    Label.objects.bulk_create(labels)
    LabelLock.objects.bulk_create(
        LabelLock(label=one, locked_at=one.created_at, cause="sitting_ended") for one in labels
    )
    given = [one.assignment_id for one in labels]
    Assignment.objects.filter(pk__in=given).update(state=AssignmentState.LABELLED)


def _label(campaign: Campaign, slot: Assignment, answers: Mapping[str, object], *, day: int) -> Label:
    return Label(
        campaign=campaign,
        assignment=slot,
        sample_id=slot.sample_id,
        annotator_id=slot.annotator_id,
        scheme_id=campaign.scheme_id,
        guideline_id=campaign.guideline_id,
        answers=dict(answers),
        is_simulated=campaign.is_simulated,
        idempotency_key=uuid.uuid4(),
        request_digest="0" * 64,
        created_at=MORNING + timedelta(days=day, minutes=slot.sample.number),
    )
