"""Read what the labelling pages show: the sample on screen, its turns, the person's own labels."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.models import Assignment, AssignmentState, Campaign, Label, Sample, SchemeVersion
from annotation.schemes.definition import Scheme, parse_scheme
from datasets_app.texts import read_turns
from prometheus_site.accounts.models import User
from prometheus_site.core.sealing import TextErasedError


@dataclass(frozen=True)
class ShownTurn:
    number: int
    role: str
    text: str


@dataclass(frozen=True)
class Standing:
    """How far a person has come in a campaign."""

    labelled: int
    waiting: int

    @property
    def planned(self) -> int:
        return self.labelled + self.waiting


@lru_cache(maxsize=64)
def _parsed(scheme_id: UUID) -> Scheme:
    # A scheme version never changes, so its parsed form may be kept.
    return parse_scheme(SchemeVersion.objects.get(pk=scheme_id).definition)


def scheme_of(campaign: Campaign) -> Scheme:
    """Return the campaign's scheme, parsed."""
    return _parsed(campaign.scheme_id)


def scheme_version(scheme_id: UUID) -> Scheme:
    """Return a stored scheme version, parsed."""
    return _parsed(scheme_id)


def on_screen(user: User, campaign: Campaign) -> Assignment | None:
    """Return the sample the person has open, its text ready to be opened."""
    leased = (
        Assignment.objects.visible_to(user).readable().filter(campaign=campaign, state=AssignmentState.LEASED)
    )
    return leased.select_related("sample__conversation__text__data_key").order_by("position").first()


def turns_of(sample: Sample) -> list[ShownTurn]:
    """Return the turns of a sample, numbered as in the whole conversation; none when its text was erased."""
    try:
        turns = read_turns(sample.conversation)[sample.window_start : sample.window_stop]
    except TextErasedError:
        return []
    return [
        ShownTurn(number, turn.role, turn.content)
        for number, turn in enumerate(turns, start=sample.window_start + 1)
    ]


def standing_of(user: User, campaign: Campaign) -> Standing:
    """Return how many samples the person has labelled and how many wait."""
    states = list(
        Assignment.objects.visible_to(user)
        .filter(campaign=campaign)
        .exclude(state=AssignmentState.WITHDRAWN)
        .exclude(~Q(state=AssignmentState.LABELLED), sample__conversation__source__withdrawn_at__isnull=False)
        .values_list("state", flat=True)
    )
    labelled = states.count(AssignmentState.LABELLED)
    return Standing(labelled=labelled, waiting=len(states) - labelled)


def own_labels(user: User, campaign: Campaign) -> QuerySet[Label]:
    """Return the person's current labels in the campaign, newest first."""
    labels = Label.objects.own(user).current().filter(campaign=campaign)
    return labels.select_related("sample", "guideline").order_by("-created_at")
