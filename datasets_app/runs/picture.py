"""The report of a run as bars: families against their target, lengths, removals, diversity. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from datasets_app.phase1.report import Figure, Gate, Report
from datasets_app.phase1.state import MET
from datasets_app.runs.steps import in_words


@dataclass(frozen=True)
class CountBar:
    """A number with its bar, in percent of the widest one's, and a mark where the wanted number is."""

    name: str
    count: int
    bar: str
    wanted: int = 0
    short: int = 0
    mark: str = ""
    note: str = ""


@dataclass(frozen=True)
class DiversityBars:
    """A figure of the made-up dialogues and the same of real ones, as bars of one scale."""

    figure: Figure
    name: str
    measured: str
    bar: str
    reference: str
    reference_bar: str

    @property
    def is_met(self) -> bool:
        return self.figure.verdict == MET


@dataclass(frozen=True)
class Picture:
    """Everything of the report that is drawn, beside the report itself."""

    report: Report
    families: Sequence[CountBar]
    lengths: Sequence[CountBar]
    gates: Sequence[tuple[str, Gate]]
    removals: Sequence[CountBar]
    removals_by_source: Sequence[tuple[str, str, int]]
    diversity: Sequence[DiversityBars]


def picture_of(kept: Mapping[str, Any]) -> Picture:
    """Return the picture of a report as a run keeps it. Raises msgspec.ValidationError."""
    report = msgspec.convert(kept, Report)
    by_reason: Counter[str] = Counter()
    for removal in report.removals:
        by_reason[removal.reason] += removal.count
    return Picture(
        report=report,
        families=_families(report),
        lengths=_bars(report.lengths),
        gates=[(in_words(gate.name), gate) for gate in report.gates],
        removals=_bars([(in_words(reason), count) for reason, count in by_reason.most_common()]),
        removals_by_source=[
            (removal.source, in_words(removal.reason), removal.count) for removal in report.removals
        ],
        diversity=[_diversity(figure) for figure in report.diversity],
    )


def _families(report: Report) -> list[CountBar]:
    most = max([1, *(max(family.there, family.target) for family in report.families)])
    return [
        CountBar(
            name=in_words(family.name),
            count=family.there,
            bar=_percent(family.there / most),
            wanted=family.target,
            short=family.short,
            mark=_percent(family.target / most) if family.target else "",
            note="made up" if family.is_synthetic else "",
        )
        for family in report.families
    ]


def _bars(counts: Sequence[tuple[str, int]]) -> list[CountBar]:
    most = max([1, *(count for _name, count in counts)])
    return [CountBar(name, count, _percent(count / most)) for name, count in counts]


def _diversity(figure: Figure) -> DiversityBars:
    most = max(figure.measured, figure.reference or 0.0) or 1.0
    return DiversityBars(
        figure=figure,
        name=in_words(figure.name),
        measured=f"{figure.measured:.4g}",
        bar=_percent(figure.measured / most),
        reference="" if figure.reference is None else f"{figure.reference:.4g}",
        reference_bar="" if figure.reference is None else _percent(figure.reference / most),
    )


def _percent(share: float) -> str:
    return f"{100 * min(1.0, share):.2f}%"
