"""What the lead should look at: clinicians who depart from the others, in words and with the evidence."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from annotation.agreement import signs
from annotation.agreement.counts import NO_LABEL, FloatArray, IntArray, Ratings
from annotation.agreement.distances import Scale, reason_not_applicable
from annotation.agreement.signs import Sign, Watched

CAMPAIGN_ERROR = 0.015
"""The chance that any clinician of a campaign without fault is ever named on one dimension, over all kinds.

Split evenly over kinds, clinicians and looks; three dimensions stay below 5 % together.
"""
LOOKS_PER_CAMPAIGN = 10
"""How often the tests that are no rolling window are planned to be looked at."""
MIN_RATERS = 3
TOLERATED_BIAS_POINTS = 0.1
TOLERATED_GAIN_ALPHA = 0.01


class AlertKind(StrEnum):
    """What a clinician is named for."""

    DRIFT = "drift"
    BIAS = "bias"
    INFLUENCE = "influence"
    REPEATS = "repeats"
    SPEED = "speed"
    ONE_ANSWER = "one answer"
    LONG_RUN = "long run"


@dataclass(frozen=True, slots=True)
class Course:
    """When and how fast labels were given: grids as in Ratings, NaN where it is not known.

    `order[item, rater]` sorts a rater's labels, `seconds[item, rater]` is the time from display to label,
    `words[item]` the length of the text. `n_planned` is how many shared items each rater will have in the
    end, `repeats` are those of `raters.retest`.
    """

    order: FloatArray
    seconds: FloatArray
    words: IntArray
    n_planned: int
    repeats: Mapping[Any, Ratings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """A clinician to look at: `words` for the lead, `evidence` with the items to open; never an action.

    Raised so rarely by chance that all alerts of one dimension of a whole campaign together are false with a
    probability below CAMPAIGN_ERROR.
    """

    kind: AlertKind
    rater: Hashable
    words: str
    evidence: Sign


def alerts(ratings: Ratings, scale: Scale, course: Course) -> tuple[Alert, ...]:
    """Every clinician who departs from the others, kind by kind; empty where nobody does.

    Two clinicians are not compared: nobody could say which of them departs.
    """
    if reason_not_applicable(scale, ratings.categories) or not ratings.codes.size:
        return ()
    error = CAMPAIGN_ERROR / len(AlertKind) / len(ratings.raters)
    found = list(_of_influence(ratings, scale, error))
    found += _beside_the_others(ratings, scale, course, error)
    for place, rater in enumerate(ratings.raters):
        watched = Watched(ratings, scale, place, course.order)
        found += _of_manner(watched, rater, course, error / LOOKS_PER_CAMPAIGN)
        found += _of_repeats(rater, course, error / LOOKS_PER_CAMPAIGN)
    kinds = list(AlertKind)
    return tuple(sorted(found, key=lambda alert: (kinds.index(alert.kind), str(alert.rater))))


def not_tested(ratings: Ratings, scale: Scale, course: Course) -> dict[AlertKind, str]:
    """The kinds of alert that cannot be raised of everybody yet, and why: too few clinicians or labels.

    Where one of these names nobody, that says nothing.
    """
    if reason := reason_not_applicable(scale, ratings.categories):
        return dict.fromkeys(AlertKind, reason)
    has_overlap = ratings.counts.has_overlap
    is_shared = (ratings.codes != NO_LABEL) & has_overlap[:, np.newaxis]
    n_shared, n_people = is_shared.sum(axis=0), int(is_shared.any(axis=0).sum())
    wanted = {
        AlertKind.DRIFT: signs.MIN_SHARED_ITEMS_OF_DRIFT,
        AlertKind.BIAS: signs.MIN_SHARED_ITEMS,
        AlertKind.ONE_ANSWER: signs.MIN_SHARED_ITEMS,
    }
    words = {kind: _too_few(n_shared, least, "shared samples") for kind, least in wanted.items()}
    n_overlap = int(has_overlap.sum())
    if n_overlap < signs.MIN_SHARED_ITEMS:
        words[AlertKind.INFLUENCE] = f"{n_overlap} of {signs.MIN_SHARED_ITEMS} overlap samples so far"
    if n_people < MIN_RATERS:
        alone = f"{n_people} of the {MIN_RATERS} clinicians whom it takes to say who departs from the rest"
        words = dict.fromkeys((*wanted, AlertKind.INFLUENCE), alone)
    if scale is Scale.NOMINAL:
        words[AlertKind.BIAS] = "a nominal scale has no direction"
    n_repeats = np.array(
        [
            course.repeats[who].counts.has_overlap.sum() if who in course.repeats else 0
            for who in ratings.raters
        ]
    )
    of_others = n_repeats.sum() - n_repeats
    words[AlertKind.REPEATS] = _too_few(
        np.minimum(n_repeats, of_others), signs.MIN_REPEATS, "repeated samples of their own or of the others"
    )
    n_timed = (~np.isnan(course.seconds) & (ratings.codes != NO_LABEL)).sum(axis=0)
    words[AlertKind.SPEED] = _too_few(n_timed, 1, "timed label")
    return {kind: words[kind] for kind in AlertKind if words.get(kind)}


def _too_few(counted: IntArray, least: int, what: str) -> str:
    """Who has fewer than it takes; empty where nobody has."""
    n_lacking = int(np.count_nonzero(counted < least))
    if not n_lacking:
        return "" if len(counted) else "nobody has labelled yet"
    return (
        f"{n_lacking} of {len(counted)} clinicians with fewer than {least} {what}, the fewest {counted.min()}"
    )


def _beside_the_others(ratings: Ratings, scale: Scale, course: Course, error: float) -> list[Alert]:
    """The alerts that compare labels with the others', the clearest case first and then without that rater.

    Else those who keep their way would be named because the others they are compared with do not. In the end
    each who was named is compared once more with those alone who were not, as long as that leaves all their
    items: who is merely biased shall not be said to drift because another does.
    """
    found: dict[int, list[Alert]] = {}
    set_aside: tuple[int, ...] = ()
    codes = ratings.codes[ratings.counts.has_overlap]
    n_raters = int((codes != NO_LABEL).any(axis=0).sum())
    while n_raters - len(set_aside) >= MIN_RATERS:
        of_rater: dict[int, list[Alert]] = {}
        for place, rater in enumerate(ratings.raters):
            watched = Watched(ratings, scale, place, course.order, set_aside)
            if place not in set_aside and watched.is_shared.any():
                of_rater[place] = list(_compared(watched, rater, course, error))
        clearest = max(of_rater, key=lambda place: _clarity(of_rater[place]), default=None)
        if clearest is None or not of_rater[clearest]:
            break
        found[clearest] = of_rater[clearest]
        set_aside = (*set_aside, clearest)
    for place in found:
        first = Watched(ratings, scale, place, course.order)
        others = tuple(other for other in found if other != place)
        last = Watched(ratings, scale, place, course.order, others)
        if (first.is_shared == last.is_shared).all():
            again = list(_compared(last, ratings.raters[place], course, error))
            found[place] = again or found[place]
    return [alert for alerts_of_rater in found.values() for alert in alerts_of_rater]


def _clarity(named: list[Alert]) -> float:
    """How many times the width of its interval the clearest sign lies from nothing."""
    signs_of = (alert.evidence for alert in named)
    return max((abs(sign.value) / max(sign.ci_high - sign.ci_low, 1e-9) for sign in signs_of), default=0.0)


def _compared(watched: Watched, rater: Hashable, course: Course, error: float) -> Iterator[Alert]:
    at_a_look = error / LOOKS_PER_CAMPAIGN
    if sign := signs.drift(watched, error, course.n_planned):
        yield Alert(AlertKind.DRIFT, rater, _drift_words(rater, watched.scale, sign), sign)
    if sign := signs.steady_bias(watched, at_a_look, TOLERATED_BIAS_POINTS):
        side = "above" if sign.value > 0 else "below"
        words = f"{rater} lies {abs(sign.value):.2f} points {side} the others on {sign.n} shared samples"
        yield Alert(AlertKind.BIAS, rater, f"{words}{_bounds(sign, '{:+.2f}')}.", sign)
    if sign := signs.one_answer(watched, at_a_look):
        words = (
            f"{rater} answers {sign.category} on {_percent(sign.value)} of the {sign.n} shared samples "
            "where the others say something far from it; of the others' own labels there, "
            f"{_percent(sign.compared_with)} are {sign.category}."
        )
        yield Alert(AlertKind.ONE_ANSWER, rater, words, sign)


def _of_manner(watched: Watched, rater: Hashable, course: Course, error: float) -> Iterator[Alert]:
    if len(watched.own) and (sign := signs.long_run(watched, error)):
        words = (
            f"{rater} answered {sign.category} {sign.value:.0f} times running, labels {sign.first} to "
            f"{sign.last}; by chance hardly more than {sign.compared_with:.0f} times."
        )
        yield Alert(AlertKind.LONG_RUN, rater, words, sign)
    if sign := signs.too_fast(watched, course.seconds, course.words, error):
        where = (
            f"; labels {sign.first} to {sign.last} all were" if sign.last - sign.first + 1 < sign.n else ""
        )
        words = (
            f"{_percent(sign.value)} of the {sign.n} timed labels of {rater} were given faster than their "
            f"text can be read ({signs.FASTEST_WORDS_PER_SECOND:.0f} words a second and "
            f"{signs.SECONDS_TO_ANSWER:.0f} seconds to answer){where}."
        )
        yield Alert(AlertKind.SPEED, rater, words, sign)


def _of_repeats(rater: Hashable, course: Course, error: float) -> Iterator[Alert]:
    own = course.repeats.get(rater)
    others = [each for other, each in course.repeats.items() if other != rater]
    if own is not None and (sign := signs.unlike_repeats(own, others, error)):
        words = (
            f"{rater} gave the same answer to {_percent(sign.value)} of {sign.n} repeated samples, the "
            f"others to {_percent(sign.compared_with)} of theirs."
        )
        yield Alert(AlertKind.REPEATS, rater, words, sign)


def _of_influence(ratings: Ratings, scale: Scale, error: float) -> Iterator[Alert]:
    found = signs.influence(ratings, scale, error / LOOKS_PER_CAMPAIGN, TOLERATED_GAIN_ALPHA)
    for place, sign in found.items():
        rater = ratings.raters[place]
        words = (
            f"Without {rater} the others would agree better: alpha {sign.value:+.3f}"
            f"{_bounds(sign, '{:+.3f}')} over {sign.n} shared labels; without another it "
            f"changes by {sign.compared_with:+.3f}."
        )
        yield Alert(AlertKind.INFLUENCE, rater, words, sign)


def _drift_words(rater: Hashable, scale: Scale, sign: Sign) -> str:
    period = f"labels {sign.first} to {sign.last} ({sign.n} shared samples)"
    if scale is Scale.NOMINAL:
        share = _percent(sign.compared_with + sign.value)
        before = _percent(sign.compared_with)
        return f"{rater} agrees with {share} of the others' labels in {period}, with {before} before."
    now = sign.compared_with + sign.value
    return (
        f"{rater} lies {now:+.2f} points from the others in {period}, {sign.compared_with:+.2f} before: "
        f"a change of {sign.value:+.2f}{_bounds(sign, '{:+.2f}')}."
    )


def _bounds(sign: Sign, form: str) -> str:
    return f" (interval {form.format(sign.ci_low)} to {form.format(sign.ci_high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
