"""A campaign whose clinicians agree on most samples, large enough to be measured."""

import random
from collections.abc import Sequence

from annotation.models import Campaign
from prometheus_site.accounts.models import User
from tests.annotation.dashboard.busy import first_slots
from tests.annotation.worlds import label, make_campaign

RAISED: dict[str, object] = {"crisis_types": ["other"], "suicidal_behaviour": "none"}


def make_agreed(
    lead: User,
    people: Sequence[User],
    *,
    samples: int = 55,
    slug: str = "agreed",
    but_for: Sequence[int] = (),
) -> Campaign:
    """Return a campaign in which everybody has labelled what they were given; one answer in five is off.

    ``but_for`` holds the numbers of the samples that nobody has labelled yet.
    """
    campaign = make_campaign(lead, people, samples=samples, slug=slug)
    slots = first_slots(campaign).exclude(sample__number__in=but_for)
    for slot in slots.order_by("sample__number", "annotator__email"):
        give(campaign, slot.annotator, slot.sample.number)
    return campaign


def give(campaign: Campaign, annotator: User, number: int) -> None:
    """Label a sample much as the others do."""
    chooser = random.Random(f"{number} {annotator.email}")  # noqa: S311
    off = chooser.random() < 0.2
    level = str((number + off) % 4)
    answers: dict[str, object] = {
        "crisis_intensity": level,
        "modality_primary": ("cbt", "dbt", "act", "supportive")[(number + off) % 4],
        "empathy_global": str(1 + (number + off) % 5),
    }
    label(campaign, annotator, number, answers=answers | (RAISED if level != "0" else {}), active_seconds=20)
