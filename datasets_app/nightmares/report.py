"""What a run of dialogues came to: counts, failures by reason, and how little or much they differ."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from datasets_app.generators.rounds import Failure
from datasets_app.synthesis.chance import number_of
from datasets_app.synthesis.diversity import distinct, pair_shares, self_bleu

from .scenarios import SCENARIOS_VERSION, scenario_named

SAMPLE_TEXTS = 196  # as many as the reference set of the edge cases has
TEXTS_PER_SCENARIO = 40


class Tally:
    """Counts, and of each scenario a sample of texts that the keys decide."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._samples: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)

    def add(self, record: Mapping[str, Any]) -> None:
        """Count a dialogue, and keep its text where its key is among the lowest by hash."""
        metadata = record["metadata"]
        scenario = metadata["clinical"]["category"]
        self.made[scenario] += 1
        sample = self._samples[scenario]
        text = "\n".join(message["content"] for message in record["messages"])
        sample.append((number_of("sample", metadata["source_key"]), text))
        sample.sort()
        del sample[TEXTS_PER_SCENARIO:]

    def fail(self, failure: Failure) -> None:
        """Count a dialogue that is not there."""
        self.failed[failure.group] += 1
        self.reasons[failure.reason] += 1

    def report(
        self, *, identity: Mapping[str, str], turned_down: Counter[str], tokens: int
    ) -> dict[str, Any]:
        """All figures of the run."""
        return {
            "is_synthetic": True,
            "scenarios_version": SCENARIOS_VERSION,
            "generator": dict(identity),
            "tokens_spent": tokens,
            "dialogues": sum(self.made.values()),
            "failures": sum(self.failed.values()),
            "failures_by_reason": dict(sorted(self.reasons.items())),
            "turned_down": dict(sorted(turned_down.items())),
            "per_scenario": {
                name: {
                    "dialogues": self.made[name],
                    "failures": self.failed[name],
                    "grammar_frames": scenario_named(name).frames,
                    "self_bleu_4": _self_bleu([text for _, text in self._samples[name]]),
                }
                for name in sorted({*self.made, *self.failed})
            },
            "diversity": self._diversity(),
        }

    def _diversity(self) -> dict[str, Any] | str:
        by_rank = sorted(
            (rank, key, text) for sample in self._samples.values() for rank, (key, text) in enumerate(sample)
        )
        texts = [text for _, _, text in by_rank[:SAMPLE_TEXTS]]
        if len(texts) < 2:
            return "NOT MEASURED: fewer than two dialogues"
        return {
            "texts": len(texts),
            "self_bleu_4": round(self_bleu(texts), 2),
            "distinct_3": round(distinct(texts), 4),
            "jaccard": asdict(pair_shares(texts)),
        }


def _self_bleu(texts: list[str]) -> dict[str, float] | str:
    if len(texts) < 2:
        return "NOT MEASURED: fewer than two dialogues"
    return {"texts": len(texts), "value": round(self_bleu(texts), 2)}
