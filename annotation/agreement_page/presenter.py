"""From figures to what the page shows: names, links to the samples behind each number, places in pictures."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from annotation.agreement.battery import Battery
from annotation.agreement.checkpoints import Verdict
from annotation.agreement.estimates import MIN_OVERLAP_ITEMS, Estimate, Status
from annotation.agreement.raters import WINDOW_ITEMS
from annotation.agreement.reading import LeftOut
from annotation.agreement_page.course import CoursePoint
from annotation.agreement_page.current import Figures
from annotation.agreement_page.dimension_figures import RATERS_SHOWN, Detail, Headline
from annotation.agreement_page.shown import (
    Bar,
    Card,
    ClassRow,
    CourseRow,
    DetailView,
    Heat,
    LeftOutView,
    LookRow,
    PairCell,
    PersonRow,
    ReadingRow,
)
from annotation.checkpoints.figures import NOT_MEASURED
from annotation.checkpoints.selectors import LookSaid, classes_from, looks_said
from annotation.dashboard.figures import Number, number
from annotation.models import Campaign, Purpose
from annotation.schemes.definition import Dimension, Scheme

STATUS_OF = {
    Verdict.MET.value: "met",
    Verdict.NOT_MET.value: "not_met",
    Verdict.UNDECIDED.value: "undecided",
    NOT_MEASURED: "not_measured",
}
DECIDED = ("met", "not_met")
HEAT_STEPS = 6
OF_PAIRS = ("Mean pairwise kappa", "ICC(2,1)", "ICC(2,k)")
"""The readings that take single clinicians and not their counts."""


class Presenter:
    """Shows figures of one campaign; ``names`` holds the clinicians' names by code once they are revealed."""

    def __init__(self, campaign: Campaign, scheme: Scheme, names: Mapping[str, str]) -> None:
        self.campaign, self.scheme, self.names = campaign, scheme, names

    def left_out(self, found: LeftOut) -> LeftOutView:
        """Return what is left out, each with its list."""
        outside = {
            Purpose.TRAINING: found.training,
            Purpose.CALIBRATION: found.calibration,
            Purpose.REPEAT: found.repeats,
        }
        return LeftOutView(
            not_locked=number("overlap-unlocked", self.campaign, found.not_locked),
            corrections=number("corrections", self.campaign, found.corrections),
            outside=[
                (purpose.label.lower(), number("outside", self.campaign, n, purpose=purpose.value))
                for purpose, n in outside.items()
            ],
            undone=found.undone,
            withdrawn=found.withdrawn,
            passes=found.passes,
        )

    def cards(self, figures: Figures, chosen: Dimension) -> list[Card]:
        """Return every dimension in short."""
        looks = looks_said(self.campaign)
        return [
            self._card(self.scheme.dimension(key), headline, looks, is_chosen=key == chosen.key)
            for key, headline in figures.headlines.items()
        ]

    def detail(self, dimension: Dimension, headline: Headline, detail: Detail) -> DetailView:
        """Return the dimension in full."""
        target = float(self.campaign.agreement_target)
        names = [_name(dimension, code) for code in detail.categories]
        return DetailView(
            dimension=dimension,
            readings=readings(headline, detail),
            prevalence=self._prevalence(dimension, detail),
            classes=self._classes(dimension, detail),
            categories=list(zip(_short(dimension), names, strict=True)),
            confusion=self._confusion(dimension, detail),
            totals=self._totals(dimension, detail),
            people=[self._called(code) for code in detail.people],
            pairs=self._pairs(dimension, detail, target),
            rows=[self._person(dimension, detail, code) for code in detail.people],
            n_people_left_out=detail.n_people_left_out,
            course=[self._point(dimension, point) for point in detail.course],
            marks=[(_moment(at), int(at), version) for at, version in detail.version_marks],
            is_weighted=detail.weighted is not None,
            is_enough=headline.alpha.of_set.n_items_overlap >= MIN_OVERLAP_ITEMS,
        )

    def _card(
        self, dimension: Dimension, headline: Headline, looks: Sequence[LookSaid], *, is_chosen: bool
    ) -> Card:
        estimate = headline.alpha.deciding
        rows = [self._look(dimension, look) for look in looks]
        frozen = [row for row in rows if row.report]
        decided = next((row for row in frozen if row.status in DECIDED), None)
        waiting = [row.n_items for row in rows if not row.report]
        last = decided or (frozen[-1] if frozen else None)
        counted = self._counter(dimension)
        return Card(
            dimension=dimension,
            estimate=estimate,
            groups=list(headline.groups.items()),
            looks=rows,
            verdict=last.status if last else "",
            decided_at=decided.n_items if decided else None,
            next_look=waiting[0] if waiting else None,
            bar=_bar(estimate, float(self.campaign.agreement_target)),
            items=counted("overlap-items", estimate.n_items_overlap),
            conversations=counted("conversations", estimate.n_clusters),
            raters=counted("raters", headline.n_raters),
            labels=counted("agreement-labels", headline.n_labels),
            single=counted("single-label-samples", headline.n_single),
            not_eligible=counted("not-eligible", headline.n_not_eligible),
            versions=headline.versions,
            is_chosen=is_chosen,
        )

    def _counter(self, dimension: Dimension) -> Callable[..., Number]:
        def counted(key: str, value: int, words: str = "", **chosen: str) -> Number:
            return number(key, self.campaign, value, words=words, dimension=dimension.key, **chosen)

        return counted

    def _called(self, code: str) -> str:
        return f"{code} {self.names[code]}" if code in self.names else code

    def _look(self, dimension: Dimension, look: LookSaid) -> LookRow:
        said = look.dimensions.get(dimension.key)
        if said is None or look.report_number is None:
            return LookRow(look.n_overlap_items, None, None, None, "waiting", "")
        words = f"the first {said.n_items} overlap items"
        return LookRow(
            n_items=said.n_items,
            items=self._counter(dimension)("overlap-items", said.n_items, words, first=str(said.n_items)),
            ci_low=said.ci_low,
            ci_high=said.ci_high,
            status=STATUS_OF[said.verdict],
            report=reverse("annotation:checkpoint_report", args=[self.campaign.slug, look.report_number]),
        )

    def _prevalence(self, dimension: Dimension, detail: Detail) -> list[tuple[str, Number, float]]:
        counted, total = self._counter(dimension), max(int(detail.n_labels_by_category.sum()), 1)
        found = [
            (_name(dimension, code), counted("agreement-labels", int(n), answer=code), int(n) / total)
            for code, n in zip(detail.categories, detail.n_labels_by_category, strict=True)
        ]
        return sorted(found, key=lambda row: -row[2])

    def _classes(self, dimension: Dimension, detail: Detail) -> list[ClassRow]:
        together = {f"{code}+": (code, words) for code, words in classes_from(dimension).items()}
        rows = []
        for key, estimate in detail.of_set.classes.items():
            code, words = together.get(key, (key, ""))
            name = f"{words}: {_name(dimension, code)} or higher" if words else _name(dimension, code)
            chosen = {"at_least": code} if words else {"answer": code}
            n_items = detail.n_items_by_class[key]
            items = self._counter(dimension)("overlap-items", n_items, f"samples with {name}", **chosen)
            rows.append(ClassRow(name, estimate, items, _bar(estimate, None)))
        return rows

    def _confusion(self, dimension: Dimension, detail: Detail) -> list[tuple[str, str, Sequence[Heat]]]:
        table = detail.items_by_answers
        counted, most = self._counter(dimension), _largest_off_diagonal(table)
        rows: list[tuple[str, str, Sequence[Heat]]] = []
        for row, (code, short) in enumerate(zip(detail.categories, _short(dimension), strict=True)):
            name = _name(dimension, code)
            cells: list[Heat] = []
            for column, other in enumerate(detail.categories):
                n = int(table[row, column])
                words = f"samples with {name} and {_name(dimension, other)}"
                cell = counted("overlap-items", n, words, answer=code, against=other)
                cells.append(Heat(cell, 0 if row == column else _step(n / most)))
            rows.append((short, name, cells))
        return rows

    def _totals(self, dimension: Dimension, detail: Detail) -> list[Heat]:
        counted, total = self._counter(dimension), max(int(detail.n_labels_by_category.sum()), 1)
        found = zip(detail.categories, detail.n_labels_by_category, strict=True)
        return [
            Heat(
                counted("agreement-labels", int(n), f"all labels: {_name(dimension, code)}", answer=code),
                _step(int(n) / total),
            )
            for code, n in found
        ]

    def _pairs(
        self, dimension: Dimension, detail: Detail, target: float
    ) -> list[tuple[str, Sequence[PairCell | None]]]:
        counted = self._counter(dimension)

        def cell(row: int, column: int) -> PairCell | None:
            if row == column:
                return None
            one, other = detail.people[row], detail.people[column]
            n = int(detail.n_common[row, column])
            found = detail.kappas.of_pair
            kappa = found.get((one, other)) or found.get((other, one))
            is_enough = n >= MIN_OVERLAP_ITEMS
            value = kappa.value if kappa and is_enough else None
            words = f"samples of both {self._called(one)} and {self._called(other)}"
            items = counted("overlap-items", n, words, person=one, other=other)
            return PairCell(items, kappa, is_enough, 0 if value is None else _step((target - value) / 0.3))

        places = range(len(detail.people))
        return [
            (self._called(detail.people[row]), [cell(row, column) for column in places]) for row in places
        ]

    def _person(self, dimension: Dimension, detail: Detail, code: str) -> PersonRow:
        counted, found = self._counter(dimension), detail.raters[code]
        n = found.figures.n_overlap_labels
        name = self._called(code)
        window, repeated = None, found.retest_kappa
        if found.latest:
            words = f"latest samples that {name} shares"
            last = str(found.latest.last_item)
            window = counted("overlap-items", WINDOW_ITEMS, words, person=code, through=last)
        repeats = None
        if repeated:
            words = f"samples that {name} answered twice"
            repeats = counted("repeated-items", repeated.n_items, words, person=code)
        return PersonRow(
            name=name,
            detail=found,
            items=counted("overlap-items", n, f"overlap items of {name}", person=code),
            is_enough=n >= MIN_OVERLAP_ITEMS,
            window=window,
            latest=found.latest,
            repeats=repeats,
            marginals=self._marginals(dimension, detail, code),
        )

    def _marginals(self, dimension: Dimension, detail: Detail, code: str) -> list[tuple[Heat, Estimate]]:
        counted, found = self._counter(dimension), detail.raters[code]
        given = zip(detail.categories, found.n_labels_by_category, found.figures.marginals, strict=True)
        total = max(int(found.n_labels_by_category.sum()), 1)
        cells = []
        for category, n, share in given:
            words = f"labels by {self._called(code)}: {_name(dimension, category)}"
            labels = counted("agreement-labels", int(n), words, answer=category, person=code)
            cells.append((Heat(labels, _step(int(n) / total)), share))
        return cells

    def _point(self, dimension: Dimension, point: CoursePoint) -> CourseRow:
        words = f"the first {point.n_items} overlap items"
        return CourseRow(
            at=_moment(point.completed_at),
            seconds=int(point.completed_at),
            items=self._counter(dimension)("overlap-items", point.n_items, words, first=str(point.n_items)),
            estimate=point.estimate,
        )


def readings(headline: Headline, detail: Detail) -> list[ReadingRow]:
    plain, weighted = detail.of_set, detail.weighted

    def row(name: str, key: str, note: str = "") -> ReadingRow:
        beside = None if weighted is None else getattr(weighted, key)
        return ReadingRow(name, getattr(plain, key), beside, note)

    rows = [
        ReadingRow(
            "One clinician: Krippendorff's alpha",
            headline.alpha.of_set,
            headline.alpha.weighted,
            "What one clinician's label can be trusted for. This reading decides.",
            decides=True,
        ),
        row(
            "The panel's mean: Spearman-Brown",
            "panel_reliability",
            "What the mean of all votes on a sample can be trusted for. It never decides.",
        ),
        *(
            ReadingRow(
                title, both.of_set, both.weighted, "A coarser reading of the same labels. It never decides."
            )
            for title, both in headline.groups.items()
        ),
    ]
    if isinstance(plain, Battery):
        mean = weighted.pairs.mean if isinstance(weighted, Battery) else None
        note = "Cohen's kappa of each two clinicians, averaged."
        rows.append(ReadingRow(OF_PAIRS[0], plain.pairs.mean, mean, note))
    rows += [
        row("Gwet's AC1", "gwet_ac1", "Hides a rare class: read it beside the prevalence, never alone."),
        row("Gwet's AC2", "gwet_ac2"),
        row("Fleiss' kappa, complete samples", "fleiss_kappa_of_complete_block"),
        row("Percent agreement", "percent_agreement", "Not corrected for chance."),
    ]
    if isinstance(plain, Battery):
        return [*rows, row(OF_PAIRS[1], "icc_2_1"), row(OF_PAIRS[2], "icc_2_k")]
    n_people = len(detail.people) + detail.n_people_left_out
    reason = f"{n_people} clinicians labelled here; their pairs are reckoned with up to {RATERS_SHOWN}."
    return rows + [ReadingRow(name, None, None, not_measured=reason) for name in OF_PAIRS]


def _bar(estimate: Estimate, target: float | None) -> Bar | None:
    """Return where an estimate lies between 0 and 1; None while there is no number to show."""
    if estimate.status is not Status.OK or estimate.value is None:
        return None
    low = estimate.value if estimate.ci_low is None else estimate.ci_low
    high = estimate.value if estimate.ci_high is None else estimate.ci_high
    return Bar(_percent(estimate.value), _percent(low), _percent(high), target and _percent(target))


def _percent(value: float) -> float:
    return round(100 * min(max(value, 0.0), 1.0), 2)


def _step(share: float) -> int:
    """Return the shade of a share: 0 for none at all, then even steps."""
    return 0 if share <= 0 else min(1 + int(share * HEAT_STEPS), HEAT_STEPS)


def _largest_off_diagonal(table: Any) -> int:
    size = len(table)
    return max((int(table[a, b]) for a in range(size) for b in range(size) if a != b), default=0) or 1


def _name(dimension: Dimension, code: str) -> str:
    for category in dimension.categories:
        if category.code == code:
            return f"{code} {category.label}" if category.value is not None else category.label
    return code


def _short(dimension: Dimension) -> list[str]:
    """Return what stands at the head of narrow columns: the level, or the place in the list of codes."""
    return [
        category.code if category.value is not None else str(place)
        for place, category in enumerate(dimension.categories, start=1)
    ]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
