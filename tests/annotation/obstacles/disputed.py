"""A campaign whose clinicians disagree for reasons that are known."""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from annotation.models import Assignment, AssignmentState, Campaign, Label, LabelLock
from annotation.models.label import LockCause
from datasets_app.models import Conversation
from prometheus_site.accounts.models import User
from tests.annotation.worlds import GOOD_ANSWERS, make_campaign

FIRST_DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
THEMES = ("grief", "sleep", "")


def make_disputed_campaign(
    lead: User, annotators: list[User], *, samples: int = 54, slug: str = "disputed"
) -> Campaign:
    """Return a campaign in which all have labelled all: the last rates empathy a level higher than the
    others, and nobody tells supportive from person-centred."""
    campaign = make_campaign(lead, annotators, samples=samples, slug=slug, labels_per_sample=len(annotators))
    for place, theme in enumerate(THEMES):
        numbers = range(1 + place, samples + 1, len(THEMES))
        Conversation.objects.filter(samples__campaign=campaign, row__in=numbers).update(topic=theme)
    label_all(campaign, lambda slot: GOOD_ANSWERS | _disputed_answers(slot, leaning=annotators[-1]))
    return campaign


def label_all(campaign: Campaign, answers: Callable[[Assignment], dict[str, object]]) -> None:
    """Label and lock every sample for everybody who has it.

    The rows are those that the services leave; written together, as so many take the services seconds.
    """
    slots = Assignment.objects.filter(campaign=campaign, repeat_number=0)
    labels = Label.objects.bulk_create(
        Label(
            campaign=campaign,
            assignment=slot,
            sample=slot.sample,
            annotator=slot.annotator,
            scheme_id=campaign.scheme_id,
            guideline_id=campaign.guideline_id,
            answers=answers(slot),
            active_seconds=60,
            idempotency_key=uuid.uuid4(),
            created_at=FIRST_DAY + timedelta(minutes=slot.sample.number),
        )
        for slot in slots.select_related("annotator", "sample")
    )
    LabelLock.objects.bulk_create(LabelLock(label=each, cause=LockCause.SITTING_ENDED) for each in labels)
    slots.update(state=AssignmentState.LABELLED)


def _disputed_answers(slot: Assignment, *, leaning: User) -> dict[str, object]:
    number = slot.sample.number
    modality = ("supportive", "cbt", "act")[number % 3]
    if modality == "supportive" and chooser_of(slot).random() < 0.5:
        modality = "person_centred"
    level = 1 + number % 4 + (slot.annotator == leaning)
    return {"modality_primary": modality, "empathy_global": str(level)}


def chooser_of(slot: Assignment) -> random.Random:
    """Return throws of their own for each label."""
    return random.Random(f"{slot.sample.number} {slot.annotator.email}")  # noqa: S311


class Obstacles(HTMLParser):
    """What the tests read of the page: the links to samples with the number they promise."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.promised: dict[str, int] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "/obstacles/samples/" in given.get("href", "") and "aria-label" in given:
            self.promised[given["href"]] = int(given["aria-label"].split()[0])
