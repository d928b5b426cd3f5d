"""The 5,000: strata with floors, coverage inside each, and a tenth at random, every chance known.

Two phases. First one unit of each cluster is drawn, with chance 1 / units of the cluster. Then the policy
picks from that frame: what covers the strata is certain to be picked, the random tenth is a simple random
sample of the rest. A pick's inclusion probability is the product of its two chances, and sums weighted by
the inverse are unbiased for the whole pool (two-phase estimator; Särndal, Swensson and Wretman 1992, ch. 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile.kernel import Integers
from datasets_app.selection.allocation import Allocation, Floors, Kinds, allocate
from datasets_app.selection.coverage import cover, nearest
from datasets_app.selection.documents import Reason
from datasets_app.selection.features import Features, features_of
from datasets_app.selection.judges import ABSTAINS, disagreement, out_of_fold
from datasets_app.selection.lexicon import SILENT, Lexicon
from datasets_app.selection.lots import drawn
from datasets_app.selection.pool import Pool, Progress, draw_frame, tell_nobody

POLICY_VERSION = "2"
FLOORS_AT = 5_000  # picks that the two floors are for; with fewer they shrink in proportion
CATEGORY_FLOOR = 100
SEVERE_FLOOR = 500
RANDOM_SHARE = 0.1
LONG_WORDS = 900  # a window has no more, but where one turn is longer
FEWEST_OF_A_CATEGORY = 20  # declared categories with fewer units are one stratum together
UNNAMED, RARE = "unnamed", "rare topics"
AGREED, DIVIDED, OPPOSED = "agreed", "divided", "opposed"


class Stratum(NamedTuple):
    """What is alike in all units of a stratum; severity divides it once more, for the floor of the severe."""

    category: str
    difficulty: str
    origin: str
    is_severe: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry per unit of the frame: its stratum, what the scores are of, and its projection."""

    strata: Sequence[Stratum]
    scores: dict[str, NDArray[np.float64]]
    features: Features

    @property
    def total(self) -> NDArray[np.float64]:
        """The mean of all scores."""
        mean: NDArray[np.float64] = np.mean(list(self.scores.values()), axis=0)
        return mean


@dataclass(frozen=True, slots=True)
class Pick:
    """A place in the frame, why it was picked, and the chance it had."""

    place: int
    reason: Reason
    inclusion_probability: float


@dataclass(frozen=True, slots=True)
class Selection:
    """What was picked from which frame, stratum by stratum."""

    seed: int
    wanted: int
    frame: Pool
    judged: Judged
    strata: Sequence[Stratum]
    sizes: Integers
    allocation: Allocation
    floors: Floors
    picks: Sequence[Pick]

    @property
    def similarity(self) -> float:
        """How like the nearest pick a unit of the frame is, on average."""
        vectors = self.judged.features.vectors
        return float(nearest(vectors, vectors[[pick.place for pick in self.picks]]).mean())


def select(pool: Pool, lexicon: Lexicon, count: int, seed: int, report: Progress = tell_nobody) -> Selection:
    """Pick `count` units of the pool, or all clusters where there are fewer."""
    frame = draw_frame(pool, seed)
    report("judge", 0, len(frame.units))
    judged = judge(frame, lexicon)
    strata = sorted(set(judged.strata))
    places = {stratum: place for place, stratum in enumerate(strata)}
    codes = np.array([places[stratum] for stratum in judged.strata])
    sizes = np.bincount(codes, minlength=len(strata)).astype(np.int64)
    wanted = min(count, len(frame.units))
    at_random = max(1, round(wanted * RANDOM_SHARE)) if wanted < len(frame.units) else 0
    share = count / FLOORS_AT
    floors = Floors(round(CATEGORY_FLOOR * min(share, 1)), round(SEVERE_FLOOR * min(share, 1)))
    allocation = allocate(sizes, _kinds(strata, lexicon), floors, wanted - at_random)
    picks = _covering(judged, codes, allocation, frame, report)
    rest = sorted(set(range(len(frame.units))) - {pick.place for pick in picks})
    picks += _at_random(rest, frame, at_random, seed)
    return Selection(seed, count, frame, judged, strata, sizes, allocation, floors, picks)


def judge(frame: Pool, lexicon: Lexicon) -> Judged:
    """The strata and scores of the frame's units."""
    features = features_of(frame.words)
    names, declared, heard, categories = _categories(frame, lexicon)
    verdicts = out_of_fold(features.tfidf, categories, [unit.group for unit in frame.units])
    differing = disagreement(declared, heard, verdicts.categories)
    very_high = np.array([name in lexicon.very_high for name in names])
    is_severe = frame.is_severe | very_high[categories]
    strata = [
        Stratum(names[category], _band(float(share)), unit.family, bool(severe))
        for category, share, unit, severe in zip(categories, differing, frame.units, is_severe, strict=True)
    ]
    words = np.array([unit.words for unit in frame.units])
    scores = {
        "rarity": _ranks(features.rareness),
        "difficulty": differing,
        "ambiguity": _ranks(verdicts.unsureness),
        "length": np.minimum(words / LONG_WORDS, 1),
    }
    return Judged(strata, scores, features)


def _categories(frame: Pool, lexicon: Lexicon) -> tuple[list[str], Integers, Integers, Integers]:
    """All names, then per unit what is declared, what the lexicon heard, and the one it is filed under.

    The lexicon abstains where the declared category is none that it knows: it could only differ. Where
    nothing is declared, its silence abstains too; where something is that it knows, its silence differs.
    """
    counts: dict[str, int] = {}
    for unit in frame.units:
        counts[unit.category] = counts.get(unit.category, 0) + 1
    known = set(lexicon.categories)
    topics = sorted(
        name for name, count in counts.items() if name and name not in known and count >= FEWEST_OF_A_CATEGORY
    )
    names = [*lexicon.categories, *topics, RARE, UNNAMED]
    places = {name: place for place, name in enumerate(names)}
    declared = np.array(
        [places.get(unit.category, places[RARE]) if unit.category else ABSTAINS for unit in frame.units]
    )
    filed = np.where(
        declared != ABSTAINS, declared, np.where(frame.heard == SILENT, places[UNNAMED], frame.heard)
    )
    silence = np.where(declared == ABSTAINS, ABSTAINS, places[UNNAMED])
    heard = np.where(frame.heard == SILENT, silence, frame.heard)
    heard = np.where(declared < len(known), heard, ABSTAINS)
    return names, declared, heard, filed


def _kinds(strata: Sequence[Stratum], lexicon: Lexicon) -> Kinds:
    _names, of_category = np.unique([stratum.category for stratum in strata], return_inverse=True)
    is_crisis = np.isin([stratum.category for stratum in strata], lexicon.categories)
    return Kinds(of_category, is_crisis, np.array([stratum.is_severe for stratum in strata]))


def _covering(
    judged: Judged, codes: Integers, allocation: Allocation, frame: Pool, report: Progress
) -> list[Pick]:
    totals, vectors = judged.total, judged.features.vectors
    picks = []
    for stratum, count in enumerate(allocation.picks):
        report("cover", stratum, len(allocation.picks))
        members = np.flatnonzero(codes == stratum)
        for rank, place in enumerate(members[cover(vectors[members], totals[members], int(count))]):
            reason = (
                Reason.COVERAGE
                if rank < allocation.by_size[stratum]
                else Reason.CATEGORY_FLOOR
                if rank < allocation.with_categories[stratum]
                else Reason.SEVERE_FLOOR
            )
            picks.append(Pick(int(place), reason, 1 / int(frame.mates[place])))
    return picks


def _at_random(rest: Sequence[int], frame: Pool, count: int, seed: int) -> list[Pick]:
    chosen = drawn(seed, "random", [frame.units[place].key for place in rest], count)
    return [Pick(rest[one], Reason.RANDOM, count / len(rest) / int(frame.mates[rest[one]])) for one in chosen]


def _band(share: float) -> str:
    return AGREED if share == 0 else OPPOSED if share == 1 else DIVIDED


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of records that have less, between 0 and 1; equal values have equal ranks."""
    ordered = np.sort(values)
    ranks: NDArray[np.float64] = np.searchsorted(ordered, values) / max(len(values) - 1, 1)
    return ranks
