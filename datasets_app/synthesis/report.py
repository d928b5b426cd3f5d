"""The figures of a generated set with their gates, beside those of a reference set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .chance import chance
from .covering import FACTORS, Plan, all_pairs, missed_pairs
from .diversity import distinct, pair_shares, self_bleu
from .generation import CategoryResult, Order
from .grammar import GRAMMAR_VERSION

SAMPLE_TEXTS = 196  # as many as the reference set has: self-BLEU grows with the number of texts
SAMPLES = 8  # one sample is off by half a point, their mean by less than a fifth
MOST_SELF_BLEU, AIMED_SELF_BLEU = 60.0, 45.0
MOST_AT_SEVEN_TENTHS, MOST_AT_HALF = 0.005, 0.05
LEAST_DISTINCT_3 = 0.02
MET, NOT_MET = "met", "not met"


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate: what was measured, what is allowed, and whether it is met."""

    name: str
    measured: float | int | str
    allowed: str
    verdict: str


def text_of(record: Mapping[str, Any]) -> str:
    """All that is said in a record."""
    return "\n".join(message["content"] for message in record["messages"])


def report_of(
    order: Order, results: Sequence[CategoryResult], reference: Sequence[str] | None = None
) -> dict[str, Any]:
    """Every figure with its gate; a figure of a reference that is absent says so."""
    by_category = {result.category: [text_of(record) for record in result.records] for result in results}
    texts = [text for held in by_category.values() for text in held]
    figures = _figures(by_category, order.seed)
    figures["self_bleu_4"] = _self_bleu_of(by_category, order.seed)
    gates = _gates(order, results, figures)
    turned_down: Counter[str] = Counter()
    for result in results:
        turned_down.update(result.turned_down)
    return {
        "grammar_version": GRAMMAR_VERSION,
        "seed": order.seed,
        "region": order.region,
        "is_synthetic": True,
        "records": len(texts),
        "per_category": {name: len(held) for name, held in by_category.items()},
        "levels": _level_counts(results),
        "turns": _turn_counts(results),
        "turned_down": dict(sorted(turned_down.items())),
        "figures": figures,
        "reference": reference_figures(reference),
        "gates": [asdict(gate) for gate in gates],
        "is_passed": all(gate.verdict == MET for gate in gates),
    }


def _self_bleu_of(by_category: Mapping[str, Sequence[str]], seed: int) -> dict[str, Any]:
    """The mean over several samples, and the lowest and highest of them; where a sample is all, of it."""
    is_all = sum(map(len, by_category.values())) <= SAMPLE_TEXTS
    samples = [
        stratified_sample(by_category, SAMPLE_TEXTS, seed, number)
        for number in range(1 if is_all else SAMPLES)
    ]
    values = [self_bleu(sample) for sample in samples]
    return {
        "texts": len(samples[0]),
        "samples": len(samples),
        "value": round(float(np.mean(values)), 2),
        "lowest": round(min(values), 2),
        "highest": round(max(values), 2),
    }


def stratified_sample(
    by_category: Mapping[str, Sequence[str]], size: int, seed: int, number: int = 0
) -> list[str]:
    """As evenly from every category as the size allows, drawn by the seed and the sample's number."""
    throw = chance(seed, "sample", number)
    pools = {name: throw.sample(list(held), len(held)) for name, held in by_category.items()}
    sample: list[str] = []
    while len(sample) < size and any(pools.values()):
        names = [name for name, pool in pools.items() if pool]
        throw.shuffle(names)
        sample += [pools[name].pop() for name in names[: size - len(sample)]]
    return sample


def reference_figures(texts: Sequence[str] | None) -> dict[str, Any] | str:
    """The same figures of real dialogues, or that there were none."""
    if not texts:
        return "NOT MEASURED: no reference set was given"
    sample = chance("reference").sample(list(texts), min(SAMPLE_TEXTS, len(texts)))
    return {
        "texts": len(sample),
        "self_bleu_4": round(self_bleu(sample), 2),
        "distinct_3": round(distinct(sample), 4),
        **_shares(sample),
    }


def _figures(by_category: Mapping[str, Sequence[str]], seed: int) -> dict[str, Any]:
    texts = [text for held in by_category.values() for text in held]
    within = {name: pair_shares(held) for name, held in by_category.items() if len(held) > 1}
    across = pair_shares(stratified_sample(by_category, 2000, seed))
    pairs = sum(share.pairs for share in within.values())
    larger = {size: stratified_sample(by_category, size, seed) for size in (500, 1000) if size <= len(texts)}
    return {
        "distinct_3": round(distinct(texts), 4),
        "self_bleu_4_more_texts": {str(size): round(self_bleu(held), 2) for size, held in larger.items()},
        "within_category": {
            "pairs": pairs,
            "at_least_half": sum(s.at_least_half * s.pairs for s in within.values()) / max(1, pairs),
            "at_least_seven_tenths": sum(s.at_least_seven_tenths * s.pairs for s in within.values())
            / max(1, pairs),
            "highest": round(max((s.highest for s in within.values()), default=0.0), 4),
        },
        "across_categories": asdict(across),
    }


def _shares(texts: Sequence[str]) -> dict[str, Any]:
    shares = pair_shares(texts)
    return {"jaccard": asdict(shares)}


def _gates(order: Order, results: Sequence[CategoryResult], figures: Mapping[str, Any]) -> list[GateResult]:
    within = figures["within_category"]
    made = {result.category: len(result.records) for result in results}
    missed = missed_pairs(_plans(results), order.categories)
    wanted = order.shares()
    bleu = figures["self_bleu_4"]["value"]
    texts = figures["self_bleu_4"]["texts"]

    def gate(name: str, measured: float | int | str, allowed: str, is_met: bool) -> GateResult:
        return GateResult(name, measured, allowed, MET if is_met else NOT_MET)

    return [
        gate(f"self-BLEU-4 over {texts} texts", bleu, "at most 60, aim 45", bleu <= MOST_SELF_BLEU),
        gate(
            "pairs within a category with Jaccard of .7 or more",
            within["at_least_seven_tenths"],
            "under .5 %",
            within["at_least_seven_tenths"] < MOST_AT_SEVEN_TENTHS,
        ),
        gate(
            "pairs within a category with Jaccard of .5 or more",
            within["at_least_half"],
            "under 5 %",
            within["at_least_half"] < MOST_AT_HALF,
        ),
        gate("distinct-3", figures["distinct_3"], "at least .02", figures["distinct_3"] >= LEAST_DISTINCT_3),
        gate("records per category", len(set(made.values())), "as ordered", made == wanted),
        gate("pairs of levels not hit", len(missed), f"0 of {len(all_pairs(order.categories))}", not missed),
    ]


def _plans(results: Sequence[CategoryResult]) -> list[Plan]:
    plans = []
    for result in results:
        for record in result.records:
            plan = record["metadata"]["synthetic"]["plan"]
            plans.append(Plan(result.category, plan["number"], {factor: plan[factor] for factor in FACTORS}))
    return plans


def _level_counts(results: Sequence[CategoryResult]) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for plan in _plans(results):
        for factor in FACTORS:
            counts[factor][plan[factor]] += 1
    return {factor: dict(sorted(held.items())) for factor, held in counts.items()}


def _turn_counts(results: Sequence[CategoryResult]) -> dict[str, float]:
    lengths = np.array([len(record["messages"]) for result in results for record in result.records])
    return {"fewest": int(lengths.min()), "mean": round(float(lengths.mean()), 2), "most": int(lengths.max())}
