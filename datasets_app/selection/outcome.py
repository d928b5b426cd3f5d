"""From a selection to the documents that are written."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from datasets_app.compile.contract import Manifest
from datasets_app.compile.store import write_json
from datasets_app.selection.documents import (
    FloorFacts,
    PickedUnit,
    PoolFacts,
    RandomFacts,
    Reason,
    Report,
    ScoreFacts,
    StratumFacts,
)
from datasets_app.selection.lexicon import Lexicon
from datasets_app.selection.lots import lot_of
from datasets_app.selection.policy import POLICY_VERSION, RARE, UNNAMED, Pick, Selection, Stratum
from datasets_app.selection.pool import Pool

BINS = 20  # of the histogram of a score between 0 and 1
PICKS, REPORT = "picks.jsonl", "report.json"
PRIVATE = 0o700


def picked_units(selection: Selection) -> list[PickedUnit]:
    """The picks, numbered by lot."""
    keys = [selection.frame.units[pick.place].key for pick in selection.picks]
    order = sorted(range(len(keys)), key=lambda at: lot_of(selection.seed, "number", keys[at]))
    return [_picked(selection, selection.picks[at], number) for number, at in enumerate(order, 1)]


def report_of(selection: Selection, pool: Pool, manifest: Manifest, lexicon: Lexicon) -> Report:
    """The report of a selection."""
    reasons = Counter(pick.reason for pick in selection.picks)
    weights = np.array([1 / pick.inclusion_probability for pick in selection.picks])
    of_picks = Counter(selection.judged.strata[pick.place] for pick in selection.picks)
    categories = list(_categories(selection, lexicon))
    severe = FloorFacts(
        name="severe",
        wanted=selection.floors.severe,
        available=sum(stratum.is_severe for stratum in selection.judged.strata),
        found=sum(count for stratum, count in of_picks.items() if stratum.is_severe),
    )
    return Report(
        policy_version=POLICY_VERSION,
        build_id=manifest.build_id,
        seed=selection.seed,
        wanted=selection.wanted,
        found=len(selection.picks),
        pool=_pool_facts(pool, manifest, selection),
        at_random=_random_facts(selection, reasons[Reason.RANDOM]),
        reasons={reason: reasons[reason] for reason in Reason if reasons[reason]},
        categories=categories,
        severe=severe,
        strata=_strata(selection, of_picks),
        scores=_scores(selection),
        effective_picks=float(weights.sum() ** 2 / (weights**2).sum()),
        similarity=selection.similarity,
        shortfalls=list(_shortfalls(selection, categories, severe)),
    )


def write_selection(folder: Path, picks: list[PickedUnit], report: Report) -> None:
    """Write both files; the report last, each whole or not at all."""
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    part = folder / f"{PICKS}.part"
    part.write_bytes(b"".join(msgspec.json.encode(pick) + b"\n" for pick in picks))
    part.replace(folder / PICKS)
    write_json(folder / REPORT, msgspec.to_builtins(report))


def _picked(selection: Selection, pick: Pick, number: int) -> PickedUnit:
    unit, stratum = selection.frame.units[pick.place], selection.judged.strata[pick.place]
    scores = {name: round(float(values[pick.place]), 4) for name, values in selection.judged.scores.items()}
    return PickedUnit(
        number=number,
        reason=pick.reason,
        inclusion_probability=pick.inclusion_probability,
        seed=selection.seed,
        scores=scores,
        category=stratum.category,
        topic=unit.category or ("" if stratum.category in (UNNAMED, RARE) else stratum.category),
        difficulty=stratum.difficulty,
        origin=stratum.origin,
        is_estimated_severe=stratum.is_severe,
        content_hash=unit.content_hash,
        source_family=unit.family,
        source=unit.source,
        source_key=unit.source_key,
        license_tag=unit.license_tag,
        is_synthetic=unit.is_synthetic,
        group=unit.group,
        shard_id=unit.shard_id,
        line=unit.line,
        window_start=unit.start,
        window_stop=unit.stop,
    )


def _pool_facts(pool: Pool, manifest: Manifest, selection: Selection) -> PoolFacts:
    for_test = manifest.splits.test.conversations
    return PoolFacts(
        conversations=manifest.total_conversations - for_test,
        for_test=for_test,
        windows=len(pool.units),
        clusters=len(selection.frame.units),
    )


def _random_facts(selection: Selection, picks: int) -> RandomFacts:
    certain = len(selection.picks) - picks
    return RandomFacts(picks=picks, rest=len(selection.frame.units) - certain)


def _strata(selection: Selection, of_picks: Counter[Stratum]) -> list[StratumFacts]:
    counts = zip(selection.strata, selection.sizes, selection.allocation.picks, strict=True)
    return [
        StratumFacts(**stratum._asdict(), available=int(size), wanted=int(wanted), found=of_picks[stratum])
        for stratum, size, wanted in counts
    ]


def _scores(selection: Selection) -> list[ScoreFacts]:
    picked = [pick.place for pick in selection.picks]
    scores = {**selection.judged.scores, "total": selection.judged.total}
    return [
        ScoreFacts(name=name, frame=_histogram(values), picks=_histogram(values[picked]))
        for name, values in scores.items()
    ]


def _categories(selection: Selection, lexicon: Lexicon) -> Iterator[FloorFacts]:
    """A row for every category of the lexicon, found or not, and for those that the sources name besides.

    Of those as much is wanted as there was room for: there may be hundreds.
    """
    available = Counter(stratum.category for stratum in selection.judged.strata)
    found = Counter(selection.judged.strata[pick.place].category for pick in selection.picks)
    wanted = dict.fromkeys(lexicon.categories, selection.floors.category)
    wanted |= dict.fromkeys(sorted(set(available) - set(wanted)), selection.allocation.topic_floor)
    for name, floor in wanted.items():
        yield FloorFacts(name=name, wanted=floor, available=available[name], found=found[name])


def _shortfalls(selection: Selection, categories: list[FloorFacts], severe: FloorFacts) -> Iterator[str]:
    if len(selection.picks) < selection.wanted:
        yield f"{selection.wanted} picks were wanted, and there are {len(selection.picks)} clusters."
    if selection.allocation.category_floor < selection.floors.category:
        yield (
            f"There is no room for {selection.floors.category} picks of every crisis category: the floor "
            f"was lowered to {selection.allocation.category_floor}."
        )
    if selection.allocation.topic_floor < selection.floors.category:
        yield (
            f"There is no room for {selection.floors.category} picks of every topic that the sources name "
            f"besides: of these the floor was lowered to {selection.allocation.topic_floor}."
        )
    absent = [facts.name for facts in categories if facts.wanted and not facts.available]
    if absent:
        yield f"There is none of {len(absent)} categories: {', '.join(absent)}."
    for facts in [*categories, severe]:
        if facts.found < facts.wanted and facts.available:
            clusters = "1 cluster" if facts.available == 1 else f"{facts.available} clusters"
            yield f"{facts.name}: {facts.found} of at least {facts.wanted}, out of {clusters}."


def _histogram(values: NDArray[np.float64]) -> list[int]:
    return [int(count) for count in np.histogram(values, bins=BINS, range=(0, 1))[0]]
