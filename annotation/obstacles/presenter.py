"""Findings as a page: what to do first, bars that add up, suppositions and alerts in words. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from annotation.agreement.alerts import CAMPAIGN_ERROR, Alert, AlertKind
from annotation.agreement.causes import Cause, CauseKind
from annotation.agreement.disagreements import Measured
from annotation.agreement.estimates import Estimate
from annotation.agreement.needed import MIN_REPEATS
from annotation.agreement.sample_size import Requirement
from annotation.agreement.shortfall import NO_CLAUSE, Shortfall
from annotation.agreement.what_if import WhatIf
from annotation.obstacles.addresses import query_of, query_of_alert
from annotation.obstacles.evidence import Behind
from annotation.obstacles.findings import (
    ANSWERS,
    CLAUSES,
    CLINICIANS,
    THEME,
    VERSION,
    Backed,
    Findings,
    Part,
)

ROWS_SHOWN = 8
LEAST_GAIN_ALPHA = 0.005
"""Causes that cost less are not worth a lead's evening."""
LEAST_STANDARD_ERRORS = 3.0
"""Some thirty causes are looked at on each page: a 95 % interval misses zero by chance in one of them."""
STANDARD_ERRORS_OF_95 = 1.96
AXIS_MARGIN = 1.05
WEIGHTED = (
    "All figures here are design-weighted, as the one that decides; signs of clinicians are of the set."
)
OF_SET = "All figures are of the campaign set, where every sample had the same chance."
TITLES = {
    ANSWERS: "Which answers are confused",
    CLINICIANS: "Who differs",
    CLAUSES: "Which guideline clauses are behind it",
    VERSION: "Under which guideline version",
}
NOT_DIVIDED = {
    CLAUSES: "The scheme names no guideline clauses for these answers.",
    THEME: "The conversations name no theme, or all the same one.",
}
REST = {
    ANSWERS: "other pairs of answers",
    CLINICIANS: "other clinicians",
    CLAUSES: "other clauses",
    VERSION: "other versions",
}
STEPS = {
    CauseKind.SWAPPED_CODES: "Ask this clinician what the two mean: they may simply be mixed up.",
    CauseKind.CONFUSED_CODES: "Read these samples, then draw the border in a new guideline version.",
    CauseKind.CLINICIAN: "Read these samples with this clinician's answers beside the others', then talk.",
    CauseKind.TWO_CLINICIANS: "Compare how both sides read these samples: one rule may be read in two ways.",
    CauseKind.GROUP: "Read these samples: the guideline may say too little about them.",
}
KINDS = {
    AlertKind.DRIFT: "Drift",
    AlertKind.BIAS: "Leans to one side",
    AlertKind.INFLUENCE: "Pulls agreement down",
    AlertKind.REPEATS: "Repeats disagree",
    AlertKind.SPEED: "Faster than reading",
    AlertKind.ONE_ANSWER: "One answer too often",
    AlertKind.LONG_RUN: "One answer in a row",
}


@dataclass(frozen=True)
class Reader:
    """How people and clauses are called for this reader: names where they are revealed, titles of clauses."""

    dimension: str
    names: Mapping[str, str]
    clause_titles: Mapping[str, str]
    called: Mapping[Any, str]

    def person(self, code: Hashable) -> str:
        """Return a person's code, with the name where it is revealed."""
        name = self.names.get(str(code))
        return f"{code} ({name})" if name else str(code)

    def words(self, words: str) -> str:
        """Return words that hold codes of people with their names where they are revealed."""
        for code in self.names:
            words = words.replace(code, self.person(code))
        return words

    def behind(self, behind: Behind) -> list[str]:
        """Return what narrows a list of samples."""
        said = [self.person(rater) for rater in behind.raters]
        if behind.n_first is not None:
            said.append(f"first {behind.n_first} labels")
        said += [f"{self.called.get(a, str(a))} and {self.called.get(b, str(b))}" for a, b in behind.pairs]
        if behind.clause:
            said.append(f"clause {self.clause(behind.clause)}")
        if behind.group is not None:
            said.append(f"{behind.group[0]} {behind.group[1]}")
        return said

    def clause(self, code: str) -> str:
        """Return a clause's code with its title, if the campaign's guideline has it."""
        return f"{code} {self.clause_titles.get(code, '')}".strip()


@dataclass(frozen=True)
class Row:
    """A part of 1 - alpha as a bar that begins where the one above it ends, 0 to 100 along the axis."""

    name: str
    part: Measured
    percent: str
    n_samples: int
    query: str
    notes: tuple[str, ...] = ()
    bar_start: str = "0"
    bar_width: str = "0"


@dataclass(frozen=True)
class Way:
    """One way to take 1 - alpha apart; ``allowed_at`` is what the target leaves, along the same axis."""

    key: str
    title: str
    rows: Sequence[Row]
    total: float
    allowed_at: str


@dataclass(frozen=True)
class Line:
    """A cause or a supposition: what, how much alpha, and the samples behind it.

    ``signs`` are what alerts name the same clinicians for.
    """

    words: str
    gain: Measured
    n_samples: int
    query: str
    share: str = ""
    step: str = ""
    clauses: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    alpha: Measured | None = None


@dataclass(frozen=True)
class AlertLine:
    """What a clinician is named for, with the number of samples that tell it."""

    title: str
    words: str
    n_samples: int
    query: str


@dataclass(frozen=True)
class Watched:
    """A clinician to look at and why."""

    person: str
    alerts: Sequence[AlertLine]


@dataclass(frozen=True)
class Standing:
    """How far alpha is from the target, in words."""

    alpha: Estimate
    distance: str


@dataclass(frozen=True)
class Top:
    """The ceiling set by test-retest: the best that these people can reach, and each one's reliability."""

    alpha: Measured
    people: Sequence[tuple[str, float, int]]
    is_below_target: bool
    least_repeats: int = MIN_REPEATS


@dataclass(frozen=True)
class Obstacles:
    """The page of one dimension; of campaigns without fault so many in 1,000 would name somebody on it."""

    standing: Standing | None
    causes: Sequence[Line]
    doubtful: Sequence[Line]
    no_causes: str
    ways: Sequence[Way]
    not_divided: Sequence[str]
    helpful: Sequence[Line]
    unhelpful: Sequence[Line]
    watched: Sequence[Watched]
    nobody: str
    not_tested: Sequence[str]
    labels: str
    top: Top | None
    population: str
    false_per_1000: int = round(1000 * CAMPAIGN_ERROR)


def present(findings: Findings, reader: Reader, target: float, *, next_look: int | None = None) -> Obstacles:
    """Return everything that the page shows of a dimension; `next_look` is the size of the look to come."""
    apart = findings.shortfall
    causes = [_cause(each, findings.alerts, reader) for each in findings.causes]
    supposed = [_what_if(each, reader) for each in findings.what_ifs]
    return Obstacles(
        standing=_standing(findings.alpha, target) if findings.alpha else None,
        causes=[line for line in causes if is_clear(line.gain)],
        doubtful=[line for line in causes if not is_clear(line.gain)],
        no_causes=findings.no_causes,
        ways=[_way(key, parts, apart, reader, target) for key, parts in findings.ways.items() if apart],
        not_divided=[words for key, words in NOT_DIVIDED.items() if key not in findings.ways],
        helpful=[line for line in supposed if is_clear(line.gain)],
        unhelpful=[line for line in supposed if not is_clear(line.gain)],
        watched=_watched(findings.alerts, reader),
        nobody=_nobody(findings),
        not_tested=_not_tested(findings),
        labels=_labels(findings.needed, apart, target, next_look) if findings.needed and apart else "",
        top=_top(findings, reader),
        population=WEIGHTED if findings.is_weighted else OF_SET,
    )


def is_clear(gain: Measured) -> bool:
    """Whether alpha would gain more than a trifle, and more than chance brings among so many causes."""
    if gain.value is None or gain.ci_low is None:
        return False
    error = (gain.value - gain.ci_low) / STANDARD_ERRORS_OF_95
    return gain.value >= max(LEAST_GAIN_ALPHA, LEAST_STANDARD_ERRORS * error)


def _watched(alerts: Sequence[Alert], reader: Reader) -> list[Watched]:
    """The clinicians who are named, those first who are named for most."""
    by_rater: dict[Hashable, list[AlertLine]] = {}
    for alert in alerts:
        line = AlertLine(
            KINDS[alert.kind],
            reader.words(alert.words),
            len(alert.evidence.items),
            query_of_alert(reader.dimension, alert),
        )
        by_rater.setdefault(alert.rater, []).append(line)
    return [
        Watched(reader.person(rater), lines)
        for rater, lines in sorted(by_rater.items(), key=lambda each: (-len(each[1]), str(each[0])))
    ]


def _nobody(findings: Findings) -> str:
    """What nobody is named for, as far as it could be tested."""
    tested = [KINDS[kind].lower() for kind in AlertKind if kind not in findings.not_tested]
    return f"Nobody is named for: {', '.join(tested)}." if tested else ""


def _not_tested(findings: Findings) -> list[str]:
    """What could not be tested of everybody, together where the reason is the same."""
    by_reason: dict[str, list[str]] = {}
    for kind, reason in findings.not_tested.items():
        by_reason.setdefault(reason, []).append(KINDS[kind])
    return [f"{', '.join(kinds).capitalize()}: {reason}." for reason, kinds in by_reason.items()]


def _standing(alpha: Estimate, target: float) -> Standing:
    beyond = target - (alpha.value or 0.0)
    side = "below" if beyond > 0 else "above"
    return Standing(alpha, f"{abs(beyond):.3f} {side} the target of {target:.2f}")


def _cause(found: Backed[Cause], alerts: Sequence[Alert], reader: Reader) -> Line:
    cause = found.said
    signs = dict.fromkeys(KINDS[alert.kind] for alert in alerts if alert.rater in cause.of)
    return Line(
        reader.words(cause.headline),
        cause.gain,
        found.n_samples,
        query_of(reader.dimension, found.behind),
        _percent(cause.share),
        STEPS[cause.kind],
        tuple(reader.clause(each) for each in cause.clauses),
        tuple(signs),
    )


def _what_if(found: Backed[WhatIf], reader: Reader) -> Line:
    what_if = found.said
    return Line(
        reader.words(what_if.premise),
        what_if.gain,
        found.n_samples,
        query_of(reader.dimension, found.behind),
        alpha=what_if.alpha,
    )


def _way(key: str, parts: Sequence[Backed[Part]], apart: Shortfall, reader: Reader, target: float) -> Way:
    total = 1 - (apart.alpha.value or 0.0)
    scale = 100 / (max(total, 1 - target) * AXIS_MARGIN)
    n_shown = ROWS_SHOWN if len(parts) > ROWS_SHOWN + 1 else len(parts)
    rows = [_row(key, each, apart, reader) for each in parts[:n_shown]]
    if rest := parts[n_shown:]:
        part, share = (
            sum(figure.value or 0.0 for figure in figures)
            for figures in zip(
                *((_.said.contribution.part, _.said.contribution.share) for _ in rest), strict=True
            )
        )
        name = f"{len(rest)} {REST.get(key, f'other {key}s')} together"
        rows.append(Row(name, Measured(part), _percent(share), 0, ""))
    ends = list(accumulate((row.part.value or 0.0 for row in rows), initial=0.0))
    return Way(
        key.replace(" ", "-"),
        TITLES.get(key, f"In which {key}s"),
        [
            replace(row, bar_start=f"{scale * start:.2f}", bar_width=f"{scale * (end - start):.2f}")
            for row, (start, end) in zip(rows, pairwise(ends), strict=True)
        ],
        total,
        f"{scale * (1 - target):.2f}",
    )


def _row(key: str, found: Backed[Part], apart: Shortfall, reader: Reader) -> Row:
    of, contribution = found.said.of, found.said.contribution
    return Row(
        _name(key, of, reader),
        contribution.part,
        _percent(contribution.share.value or 0.0),
        found.n_samples,
        "" if of == NO_CLAUSE else query_of(reader.dimension, found.behind),
        _notes(of, apart) if key == CLINICIANS else (),
    )


def _name(key: str, of: Hashable, reader: Reader) -> str:
    if key == ANSWERS and isinstance(of, tuple):
        return " and ".join(reader.called.get(code, str(code)) for code in of)
    if key == CLINICIANS:
        return reader.person(of)
    if key == CLAUSES:
        return "No clause named" if of == NO_CLAUSE else reader.clause(str(of))
    return str(of)


def _notes(rater: Hashable, apart: Shortfall) -> tuple[str, ...]:
    each = apart.raters[rater]
    notes = []
    if each.leave_one_out.value is not None:
        notes.append(f"without this clinician alpha changes by {each.leave_one_out.value:+.3f}")
    if each.signed_bias.value is not None:
        notes.append(f"signed bias {each.signed_bias.value:+.2f}")
    return tuple(notes)


def _labels(needed: Requirement, apart: Shortfall, target: float, next_look: int | None) -> str:
    """What more labels would settle: they make a figure certain, they do not lift it."""
    if needed.n_labels_needed is None:
        return needed.reason
    is_above = (apart.beyond_target or 0.0) <= 0
    verdict = f"alpha lies {'above' if is_above else 'below'} {target:.2f}"
    decided = "Whether the target is met is decided at declared looks alone, and none is to come."
    if next_look is not None:
        decided = f"Whether the target is met is decided at the look at {next_look:,} overlap samples."
    if needed.n_items_needed == 0:
        return f"None: if a look were taken now and the figure stayed, it would say that {verdict}. {decided}"
    spread = f"{needed.n_items_low:,}" + (
        f" to {needed.n_items_high:,}" if needed.n_items_high is not None else " or more, if ever,"
    )
    words = (
        f"About {needed.n_labels_needed:,} more labels on {needed.n_items_needed:,} more overlap samples "
        f"until a look taken then would say that {verdict}, if the figure stays (in all {needed.n_items:,} "
        f"overlap samples; within its interval {spread}). {decided}"
    )
    return words if is_above else f"{words} More labels alone do not lift it."


def _top(findings: Findings, reader: Reader) -> Top | None:
    found = findings.ceiling
    if found is None:
        return None
    people = [
        (reader.person(code), value, found.n_repeats[code]) for code, value in found.reliability.items()
    ]
    return Top(found.alpha, people, found.is_below_target)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
