"""Read what the labelling pages show: the sample on screen, its turns, the person's own labels."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import QuerySet

from annotation.labelling.slots import speakers
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
        Assignment.objects.visible_to(user)
        .readable()
        .readable_by(user)
        .filter(campaign=campaign, state=AssignmentState.LEASED, first_shown_at__isnull=False)
    )
    # What was shown last: an undone label's sample is back on screen before what was fetched ahead.
    shown = leased.select_related("sample__conversation__text__data_key")
    return shown.order_by("screen_order").first()


def turns_present(sample: Sample) -> frozenset[str]:
    """Return which speakers the sample has, as the scheme names them."""
    return speakers(has_client=sample.has_client_turn, has_assistant=sample.has_assistant_turn)


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


def own_labels(user: User, campaign: Campaign) -> QuerySet[Label]:
    """Return the person's current labels in the campaign, newest first."""
    labels = Label.objects.own(user).current().filter(campaign=campaign)
    return labels.select_related("sample", "guideline").order_by("-created_at")
