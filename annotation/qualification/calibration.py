"""Read calibration: what seniors answered, what they settled, and how a person's answers compare."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max, QuerySet, Subquery

from annotation.labelling.presenter import answers_in_words
from annotation.labelling.selectors import scheme_of, turns_present
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    CalibrationGold,
    Campaign,
    DesignRole,
    Label,
    Pass,
    Purpose,
    Sample,
    Sitting,
)
from annotation.qualification.scoring import Score, score
from annotation.schemes.definition import Dimension
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role

SENIORS_NEEDED = 2
Gold = Mapping[tuple[uuid.UUID, str], CalibrationGold]


@dataclass(frozen=True)
class SampleStanding:
    """A calibration sample: how many seniors labelled it blind, and what of it is settled."""

    sample: Sample
    seniors: int
    settled: int
    wanted: int

    @property
    def is_settled(self) -> bool:
        return self.settled == self.wanted

    @property
    def can_be_settled(self) -> bool:
        return self.seniors >= SENIORS_NEEDED


@dataclass(frozen=True)
class Difference:
    """One answer that is not the settled one, with the reasons of both sides side by side."""

    sample: Sample
    dimension: Dimension
    given: str
    gold: str
    label: Label
    settled: CalibrationGold


def calibration_samples(campaign: Campaign) -> QuerySet[Sample]:
    """Return the campaign's calibration samples whose text is there."""
    readable = campaign.samples.filter(conversation__source__withdrawn_at__isnull=True)
    return readable.filter(design_role=DesignRole.CALIBRATION).order_by("number")


def headlines_of(campaign: Campaign, sample: Sample) -> list[Dimension]:
    """Return the headline questions that are asked about this sample."""
    present = turns_present(sample)
    return [
        dimension
        for form in scheme_of(campaign).forms
        if (bool(present) if form.asks_about == "conversation" else form.asks_about in present)
        for dimension in form.dimensions
        if dimension.is_headline
    ]


def gold_of(campaign: Campaign) -> Gold:
    """Return what is settled, by sample and dimension; the newest holds."""
    settled = CalibrationGold.objects.filter(sample__campaign=campaign).select_related("because__data_key")
    newest = settled.order_by("sample", "dimension", "-place").distinct("sample", "dimension")
    return {(one.sample_id, one.dimension): one for one in newest}


def senior_labels(campaign: Campaign) -> QuerySet[Label]:
    """Return the locked calibration labels of seniors, as they stood when they locked."""
    locked = Label.objects.locked().filter(campaign=campaign, assignment__purpose=Purpose.CALIBRATION)
    seniors = User.objects.filter(
        role_grants__role=Role.ADJUDICATOR, role_grants__revoked_at__isnull=True, is_active=True
    )
    found: QuerySet[Label] = locked.filter(annotator__in=seniors, assignment__repeat_number=0)
    return found.select_related("annotator", "note__data_key").order_by("annotator__code")


def standings_of_samples(campaign: Campaign) -> list[SampleStanding]:
    """Return every calibration sample with what seniors have done about it."""
    gold, found = gold_of(campaign), []
    seniors = Counter(senior_labels(campaign).order_by().values_list("sample_id", flat=True))
    for sample in calibration_samples(campaign):
        wanted = headlines_of(campaign, sample)
        settled = sum((sample.pk, one.key) in gold for one in wanted)
        found.append(SampleStanding(sample, seniors[sample.pk], settled, len(wanted)))
    return found


def is_settled(campaign: Campaign) -> bool:
    """Say whether there is a calibration and every answer of it is settled."""
    standings = standings_of_samples(campaign)
    return bool(standings) and all(one.is_settled for one in standings)


def still_calibrates(campaign: Campaign, reader: User) -> bool:
    """Say whether this person has calibration samples to label, or may still take an answer or a pass back.

    As long as that is so, what others answered stays closed.
    """
    own = Assignment.objects.visible_to(reader).filter(campaign=campaign, purpose=Purpose.CALIBRATION)
    if own.readable().filter(state__in=OPEN_STATES).exists():
        return True
    given = Label.objects.current().filter(campaign=campaign, annotator=reader, reason=None, lock=None)
    if given.filter(assignment__purpose=Purpose.CALIBRATION).exists():
        return True
    sittings = Sitting.objects.filter(campaign=campaign, annotator=reader, ended_at=None)
    passes = Pass.objects.filter(assignment__in=own.filter(state=AssignmentState.PASSED), taken_back_at=None)
    return passes.filter(created_at__gte=Subquery(sittings.values("started_at"))).exists()


def labels_of_reading(campaign: Campaign, person: User) -> list[Label]:
    """Return the labels of the person's latest reading of the calibration samples, as they locked."""
    given = Label.objects.locked().filter(
        campaign=campaign, annotator=person, assignment__purpose=Purpose.CALIBRATION
    )
    latest = given.aggregate(top=Max("assignment__repeat_number"))["top"]
    of_reading = given.filter(assignment__repeat_number=latest or 0)
    return list(of_reading.select_related("sample", "note__data_key").order_by("sample__number"))


def people_who_calibrated(campaign: Campaign) -> QuerySet[User]:
    """Return who has labelled calibration samples, by code."""
    given = Label.objects.first_given().filter(campaign=campaign, assignment__purpose=Purpose.CALIBRATION)
    return User.objects.filter(pk__in=given.values("annotator")).order_by("code")


def scores_of(campaign: Campaign, person: User) -> list[Score]:
    """Return the person's agreement with the settled answers on each headline question; none without gold."""
    gold, labels = gold_of(campaign), labels_of_reading(campaign, person)
    if not gold or not labels:
        return []
    clusters = {label.sample_id: label.sample.conversation_id for label in labels}
    return [
        score(
            dimension,
            {label.sample_id: answer for label in labels if (answer := _answer(label, dimension))},
            {
                sample: one.answer
                for (sample, key), one in gold.items()
                if key == dimension.key and one.answer
            },
            clusters,
            campaign.calibration_threshold,
        )
        for dimension in scheme_of(campaign).dimensions
        if dimension.is_headline
    ]


def differences_of(campaign: Campaign, person: User) -> Sequence[Difference]:
    """Return where the person's answers are not the settled ones, by sample."""
    gold, found = gold_of(campaign), []
    for label in labels_of_reading(campaign, person):
        for dimension in headlines_of(campaign, label.sample):
            settled = gold.get((label.sample_id, dimension.key))
            if settled is not None and (settled.answer or None) != _answer(label, dimension):
                given, wanted = (
                    in_words(campaign, dimension, one or None)
                    for one in (_answer(label, dimension), settled.answer)
                )
                found.append(Difference(label.sample, dimension, given, wanted, label, settled))
    return found


def in_words(campaign: Campaign, dimension: Dimension, answer: str | None) -> str:
    """Return an answer as the page shows it."""
    words = answers_in_words(scheme_of(campaign), {dimension.key: answer})
    return words[0][1] if words else "not answered"


def _answer(label: Label, dimension: Dimension) -> str | None:
    answer = label.answers.get(dimension.key)
    return answer if answer in dimension.codes else None
