"""Scores of the pool and of the picks as step lines, and picks against their floor as bars. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from datasets_app.selection.documents import FloorFacts, ScoreFacts, StratumFacts

WIDTH, HEIGHT = 300, 100
TITLES = {
    "rarity": ("Rarity", "how rare its words are"),
    "difficulty": ("Difficulty", "how far the three judges of its category differ"),
    "ambiguity": ("Ambiguity", "how unsure the trained judge is"),
    "length": ("Length", "words, of the 900 that a window may have"),
    "total": ("Score", "the mean of the four"),
}


@dataclass(frozen=True)
class ScorePlot:
    """Two histograms in an SVG of WIDTH by HEIGHT, each as shares of its own, and their means."""

    title: str
    meaning: str
    pool: str
    picks: str
    pool_mean: float
    picks_mean: float
    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT


@dataclass(frozen=True)
class Share:
    """How much of the pool and of the picks is of one kind; the bars are percentages of the widest."""

    name: str
    available: int
    wanted: int
    found: int
    bar: str
    mark: str  # where the floor stands, or nothing

    @property
    def is_short(self) -> bool:
        return self.found < self.wanted


def plot_of(scores: ScoreFacts) -> ScorePlot:
    """Return the picture of one score."""
    title, meaning = TITLES[scores.name]
    pool, picks = _shares(scores.frame), _shares(scores.picks)
    top = max([*pool, *picks]) or 1.0
    return ScorePlot(title, meaning, _steps(pool, top), _steps(picks, top), _mean(pool), _mean(picks))


def bars_of(floors: Sequence[FloorFacts]) -> list[Share]:
    """Return a bar for each category, with a mark at its floor."""
    most = max([1, *(max(one.found, one.wanted) for one in floors)])
    return [
        Share(
            in_words(one.name),
            one.available,
            one.wanted,
            one.found,
            _percent(one.found / most),
            _percent(one.wanted / most) if one.wanted else "",
        )
        for one in floors
    ]


def shares_by(kind: str, strata: Iterable[StratumFacts]) -> list[Share]:
    """Return a bar for each difficulty or origin."""
    available: dict[str, int] = {}
    found: dict[str, int] = {}
    for stratum in strata:
        name = str(getattr(stratum, kind))
        available[name] = available.get(name, 0) + stratum.available
        found[name] = found.get(name, 0) + stratum.found
    most = max([1, *found.values()])
    return [
        Share(in_words(name), available[name], 0, found[name], _percent(found[name] / most), "")
        for name in sorted(available)
    ]


def in_words(name: str) -> str:
    """Return a code as words."""
    return name.replace("_", " ").capitalize()


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _mean(shares: Sequence[float]) -> float:
    return sum(share * (place + 0.5) / len(shares) for place, share in enumerate(shares))


def _steps(shares: Sequence[float], top: float) -> str:
    """A path along the tops of the bins, closed on the axis at both ends."""
    step = WIDTH / len(shares)
    tops = [HEIGHT * (1 - share / top) for share in shares]
    along = "".join(f"V{y:.1f}H{(place + 1) * step:.1f}" for place, y in enumerate(tops))
    return f"M0 {HEIGHT}{along}V{HEIGHT}"


def _percent(share: float) -> str:
    return f"{100 * min(1.0, share):.2f}%"
