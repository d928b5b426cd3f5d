"""The feasibility check: does a design fit the people, their hours and the care limits, and what would."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, floor, inf

from annotation.assignment.balance import Person, water_level
from annotation.assignment.policy import READ_BY_ALL, Design, Purpose
from annotation.wellbeing.policy import (
    BREAK_AFTER_MINUTES,
    MINUTES_PER_DAY,
    SEVERE_PER_DAY,
    SEVERE_PER_SITTING,
)

TYPICAL_HOURS_PER_WEEK = 10.0  # of a new clinician while nobody has declared hours
MOST_NEW_CLINICIANS = 1000
ROUNDING = 1e-6


class Limit(StrEnum):
    """What decides how long the work takes."""

    HOURS = "hours"
    DAILY_LIMIT = "daily limit"
    SEVERE_READINGS = "severe readings"
    REPEATS = "repeats"  # they rest, and the last of them waits for the last first reading
    CLINICIANS = "clinicians"  # fewer than the labels a sample needs: it is never finished


@dataclass(frozen=True)
class Clinician:
    """What one person declares and allows. Raises ValueError for a number that leaves no time or reading."""

    hours_per_week: float
    minutes_per_day: float = MINUTES_PER_DAY
    severe_per_day: int = SEVERE_PER_DAY
    severe_per_sitting: int = SEVERE_PER_SITTING

    def __post_init__(self) -> None:
        if min(self.hours_per_week, self.minutes_per_day) <= 0:
            raise ValueError("A clinician has no time at all. Leave out who does not take part.")
        if min(self.severe_per_day, self.severe_per_sitting) < 0:
            raise ValueError("A limit on severe readings is below 0. Set 0 or more.")

    @property
    def seconds_per_day(self) -> float:
        """Return the working time per calendar day, the week's hours spread evenly over seven days."""
        return min(self.hours_per_week * 3600 / 7, self.minutes_per_day * 60)

    @property
    def capacity(self) -> float:
        """Return the hours per week that the daily limit leaves: the capacity to plan with."""
        return self.seconds_per_day * 7 / 3600

    @property
    def severe_readings_per_day(self) -> float:
        """Return the most severe readings per calendar day: by day, and by sitting in the time there is."""
        sittings = max(1.0, self.seconds_per_day / (BREAK_AFTER_MINUTES * 60))
        return min(self.severe_per_day, self.severe_per_sitting * sittings)

    @property
    def time_limit(self) -> Limit:
        is_daily = self.minutes_per_day * 7 < self.hours_per_week * 60
        return Limit.DAILY_LIMIT if is_daily else Limit.HOURS


@dataclass(frozen=True)
class Proposal:
    """What is to be checked: samples by role, share of them severe (0-1), design, people, pace and date.

    ``seconds_per_label`` is expected or measured; ``days`` are left until the due date, None without one. A
    silent repeat comes ``repeat_after_days`` after its first reading or later.
    """

    samples: Mapping[Purpose, int]
    severe_share: float
    design: Design
    clinicians: Sequence[Clinician]
    seconds_per_label: float
    days: int | None = None
    repeat_after_days: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.severe_share <= 1:
            raise ValueError("The severe share lies outside 0 to 1. Give it as a fraction.")
        if self.seconds_per_label <= 0 or (self.days is not None and self.days < 0):
            raise ValueError("Seconds per label must be above 0 and days left 0 or more.")

    def count(self, *roles: Purpose) -> int:
        return sum(self.samples.get(role, 0) for role in roles)


@dataclass(frozen=True)
class Part:
    """One clinician's part of the work, in the order of the proposal's clinicians.

    ``labels`` and ``severe`` are readings with training and repeats; ``days`` calendar days, decided by
    ``limit``. ``seconds_allowed`` per label and ``severe_allowed`` are what the days left allow by time and
    by care alone, None without a date.
    """

    labels: int
    severe: int
    hours: float
    days: float
    limit: Limit
    seconds_allowed: float | None
    severe_allowed: int | None


class RemedyKind(StrEnum):
    MORE_CLINICIANS = "more clinicians"
    LATER_DATE = "later date"
    LESS_OVERLAP = "less overlap outside severe"


@dataclass(frozen=True)
class Remedy:
    """One change that makes the plan feasible alone, or the reason why it cannot.

    ``amount`` is the number of clinicians, the days later, or the percent of overlap samples not estimated
    severe that get one label only; None with ``proposal`` None when no amount is enough.
    """

    kind: RemedyKind
    amount: int | None
    sentence: str
    proposal: Proposal | None = None


@dataclass(frozen=True)
class Feasibility:
    """What a plan asks of its people.

    ``blind_labels`` are first readings but for training; ``total_labels`` all readings. ``days`` are the
    calendar days until the last is done, infinite when never, decided by ``limit``. ``remedies`` are given
    when the plan is not feasible.
    """

    blind_labels: int
    total_labels: int
    parts: Sequence[Part]
    days: float
    limit: Limit
    is_feasible: bool
    remedies: Sequence[Remedy] = ()

    @property
    def seconds_allowed(self) -> float | None:
        """Return the seconds a label may take for everybody to be done in time; None without a date."""
        return min(
            (part.seconds_allowed for part in self.parts if part.seconds_allowed is not None), default=None
        )


def check_feasibility(proposal: Proposal) -> Feasibility:
    """Return what the proposal asks of everybody and, when it cannot be done, what would make it feasible."""
    found = _assess(proposal)
    if found.is_feasible:
        return found
    remedies = (_more_clinicians(proposal), _later_date(proposal, found), _less_overlap(proposal))
    return replace(found, remedies=remedies)


def _assess(proposal: Proposal) -> Feasibility:
    shared, clinicians = proposal.count(*READ_BY_ALL), proposal.clinicians
    overlap, severe_overlap = _overlap_labels(proposal)
    overlap_each = _overlap_each(proposal, overlap)
    severe_part = severe_overlap / overlap if overlap else 0.0
    parts = [
        _part(proposal, one, of_one, of_one * severe_part)
        for one, of_one in zip(clinicians, overlap_each, strict=True)
    ]
    repeatable = proposal.count(Purpose.ANCHOR) * len(clinicians) + overlap
    first_readings = shared * len(clinicians) + overlap
    slowest = max(parts, key=lambda part: part.days, default=None)
    days, limit = (slowest.days, slowest.limit) if slowest else (inf, Limit.CLINICIANS)
    if len(clinicians) < _clinicians_needed(proposal):
        days, limit = inf, Limit.CLINICIANS
    return Feasibility(
        blind_labels=round(first_readings - proposal.count(Purpose.TRAINING) * len(clinicians)),
        total_labels=round(first_readings + repeatable * proposal.design.repeat_percent / 100),
        parts=parts,
        days=days,
        limit=limit,
        is_feasible=days < inf and (proposal.days is None or days <= proposal.days + ROUNDING),
    )


def _overlap_labels(proposal: Proposal) -> tuple[float, float]:
    """Return the labels that the overlap samples get, and those of them on severe samples."""
    design, samples = proposal.design, proposal.count(Purpose.OVERLAP)
    severe = samples * proposal.severe_share
    saved = (samples - severe) * (design.labels_per_sample - 1) * design.single_label_percent / 100
    return samples * design.labels_per_sample - saved, severe * design.labels_per_sample


def _overlap_each(proposal: Proposal, overlap: float) -> list[float]:
    """Return the overlap of each clinician as the policy gives it: all first readings near to capacity."""
    shared, people = proposal.count(*READ_BY_ALL), [Person(one.capacity) for one in proposal.clinicians]
    most = shared + proposal.count(Purpose.OVERLAP)
    total = min(shared * len(people) + overlap, most * len(people))
    level = water_level(people, [shared] * len(people), [most] * len(people), total)
    return [min(max(level * one.capacity, shared), most) - shared for one in people]


def _clinicians_needed(proposal: Proposal) -> int:
    """Return how many different people the sample with the most labels needs."""
    design = proposal.design
    is_all_single = design.single_label_percent == 100 and proposal.severe_share == 0
    return design.labels_per_sample if proposal.count(Purpose.OVERLAP) and not is_all_single else 1


def _part(proposal: Proposal, one: Clinician, overlap: float, severe_overlap: float) -> Part:
    repeated = proposal.design.repeat_percent / 100
    shared, anchors = proposal.count(*READ_BY_ALL), proposal.count(Purpose.ANCHOR)
    labels = shared + overlap + repeated * (anchors + overlap)
    severe = proposal.severe_share * (shared + repeated * anchors) + severe_overlap * (1 + repeated)
    seconds = labels * proposal.seconds_per_label
    days_by_time = seconds / one.seconds_per_day
    days_by_care = _ratio(severe, one.severe_readings_per_day)
    limit = Limit.SEVERE_READINGS if days_by_care > days_by_time else one.time_limit
    days = max(days_by_time, days_by_care)
    if round(repeated * (anchors + overlap)):
        first_severe = proposal.severe_share * shared + severe_overlap
        first_by_time = (shared + overlap) * proposal.seconds_per_label / one.seconds_per_day
        first_days = max(first_by_time, _ratio(first_severe, one.severe_readings_per_day))
        if first_days + proposal.repeat_after_days > days:
            days, limit = first_days + proposal.repeat_after_days, Limit.REPEATS
    in_days = proposal.days
    return Part(
        labels=ceil(labels - ROUNDING),
        severe=ceil(severe - ROUNDING),
        hours=seconds / 3600,
        days=days,
        limit=limit,
        seconds_allowed=None if in_days is None else _ratio(in_days * one.seconds_per_day, labels),
        severe_allowed=None if in_days is None else floor(in_days * one.severe_readings_per_day),
    )


def _ratio(part: float, whole: float) -> float:
    if whole:
        return part / whole
    return inf if part else 0.0


def _more_clinicians(proposal: Proposal) -> Remedy:
    hours = TYPICAL_HOURS_PER_WEEK
    if proposal.clinicians:
        hours = sum(one.hours_per_week for one in proposal.clinicians) / len(proposal.clinicians)

    def with_more(count: int) -> Proposal:
        return replace(proposal, clinicians=[*proposal.clinicians, *[Clinician(hours)] * count])

    kind = RemedyKind.MORE_CLINICIANS
    amount = _least(range(1, MOST_NEW_CLINICIANS + 1), with_more)
    if amount is None:
        at_most = _assess(with_more(MOST_NEW_CLINICIANS))
        rest = (
            f" and silent repeats rest {_counted(proposal.repeat_after_days, 'day')}"
            if at_most.limit == Limit.REPEATS
            else ""
        )
        return Remedy(
            kind,
            None,
            f"No number of clinicians is enough: {_takes(at_most.days)} even then, because everybody reads "
            f"the training, calibration and anchor samples{rest}.",
        )
    found = with_more(amount)
    sentence = (
        f"{_counted(amount, 'more clinician')} with {hours:.3g} hours a week would be enough: "
        f"{_takes(_assess(found).days)}."
    )
    return Remedy(kind, amount, sentence, found)


def _later_date(proposal: Proposal, found: Feasibility) -> Remedy:
    kind = RemedyKind.LATER_DATE
    if proposal.days is None or found.days == inf:
        reason = (
            "there are fewer clinicians than labels for one sample"
            if found.limit == Limit.CLINICIANS
            else "somebody takes no severe samples"
        )
        return Remedy(kind, None, f"No date is late enough: {reason}.")
    days = ceil(found.days - ROUNDING)
    amount = days - proposal.days
    sentence = f"A date {_counted(amount, 'day')} later, {_counted(days, 'day')} from now, would be enough."
    return Remedy(kind, amount, sentence, replace(proposal, days=days))


def _less_overlap(proposal: Proposal) -> Remedy:
    design = proposal.design

    def with_single(percent: int) -> Proposal:
        return replace(proposal, design=replace(design, single_label_percent=float(percent)))

    kind = RemedyKind.LESS_OVERLAP
    if design.labels_per_sample == 1 or not proposal.count(Purpose.OVERLAP):
        return Remedy(kind, None, "There is no overlap to take away: no sample is shared by a pair.")
    amount = _least(range(floor(design.single_label_percent) + 1, 101), with_single)
    if amount is None:
        days = _assess(with_single(100)).days
        return Remedy(
            kind,
            None,
            "One label only for every overlap sample not estimated severe is not enough: "
            f"{_takes(days)} even then.",
        )
    found = with_single(amount)
    sentence = (
        f"One label only for {amount} % of the overlap samples not estimated severe would be enough: "
        f"{_takes(_assess(found).days)}."
    )
    return Remedy(kind, amount, sentence, found)


def _least(amounts: range, changed: Callable[[int], Proposal]) -> int | None:
    """Return the least amount that makes the proposal feasible, by halving: more of it hardly ever hurts."""
    at = bisect_left(amounts, True, key=lambda amount: _assess(changed(amount)).is_feasible)
    return amounts[at] if at < len(amounts) else None


def _takes(days: float) -> str:
    return "it is never done" if days == inf else f"it takes {_counted(ceil(days - ROUNDING), 'day')}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
