"""The manifest of a build, counted from its shards and from what was left out of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from datasets_app.compile.chunks import Plan
from datasets_app.compile.config import Config
from datasets_app.compile.contract import (
    MANIFEST_VERSION,
    SCHEMA_VERSION,
    SPLITS,
    Counters,
    FamilyCounts,
    Input,
    Manifest,
    Shard,
    Sidecar,
    SourceCounts,
    Splits,
    SplitShards,
)
from datasets_app.compile.kernel import KERNEL_VERSION
from datasets_app.compile.mapping import MappedChunk
from datasets_app.compile.reducing import Decisions, Outcome
from datasets_app.compile.stages import LONG_ELSEWHERE


@dataclass(frozen=True, slots=True)
class Made:
    """What a build was made from, what was decided, and what was written."""

    build_id: str
    config: Config
    params: dict[str, Any]
    plans: Sequence[Plan]
    mapped: Sequence[MappedChunk]
    decisions: Decisions
    shards: Sequence[dict[str, Any]]
    left_out: Sidecar

    @property
    def source_names(self) -> list[str]:
        """The source of each chunk."""
        return [chunk.source.name for plan in self.plans for chunk in plan.chunks]


def manifest_of(made: Made) -> Manifest:
    """The manifest, before any gate has been tried."""
    counters = _counters(made)
    is_kept = made.decisions.outcomes == Outcome.KEPT
    tokens = sum(
        int(chunk.array("token_counts")[kept].sum())
        for chunk, kept in zip(made.mapped, _by_chunk(made.mapped, is_kept), strict=True)
    )
    return Manifest(
        manifest_version=MANIFEST_VERSION,
        schema_version=SCHEMA_VERSION,
        build_id=made.build_id,
        generated_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        total_conversations=int(is_kept.sum()),
        total_tokens_approx=tokens,
        splits=Splits(**{name: _split(made, name) for name in SPLITS}),
        source_families=_family_counts(made.config, made.shards),
        holdout_families=sorted({holdout.family for holdout in made.config.holdouts}),
        params=made.params,
        kernel_version=KERNEL_VERSION,
        inputs=_inputs(made),
        counters=counters,
        alarms=alarms_of(made.config, counters),
        gates=[],
        provenance=made.left_out,
    )


def _inputs(made: Made) -> list[Input]:
    rows = Counter[str]()
    for name, chunk in zip(made.source_names, made.mapped, strict=True):
        rows[name] += chunk.summary["records"]
    return [
        Input(
            uri=plan.source.name,
            source_family=plan.source.family,
            sha256=plan.sha256,
            rows=rows[plan.source.name],
            license=plan.source.facts.license,
        )
        for plan in made.plans
    ]


def _split(made: Made, split: str) -> SplitShards:
    def listed(kind: str) -> list[Shard]:
        return [
            Shard(
                shard_id=facts["shard_id"],
                path=f"builds/{made.build_id}/{facts[kind]['path']}",
                size_bytes=facts[kind]["size_bytes"],
                sha256=facts[kind]["sha256"],
                conversation_count=facts["conversation_count"],
                source_families=sorted(facts["families"]),
            )
            for facts in made.shards
            if facts["split"] == split and facts[kind]
        ]

    written = listed("jsonl")
    conversations = sum(shard.conversation_count for shard in written)
    return SplitShards(conversations=conversations, shards=written, parquet_shards=listed("parquet"))


def _family_counts(config: Config, shards: Sequence[dict[str, Any]]) -> dict[str, FamilyCounts]:
    counts = {name: dict.fromkeys(SPLITS, 0) for name in config.families}
    for facts in shards:
        for family, count in facts["families"].items():
            counts[family][facts["split"]] += count
    return {
        name: FamilyCounts(
            conversations=sum(splits.values()),
            splits=splits,
            target=config.families[name].target,
            shortfall=max(config.families[name].target - sum(splits.values()), 0),
        )
        for name, splits in sorted(counts.items())
    }


def _counters(made: Made) -> Counters:
    by_source: dict[str, list[SourceCounts]] = {}
    outcomes = _by_chunk(made.mapped, made.decisions.outcomes)
    for name, chunk, decided in zip(made.source_names, made.mapped, outcomes, strict=True):
        found = np.bincount(decided, minlength=len(Outcome)).tolist()
        counts = SourceCounts(
            records=chunk.summary["records"],
            rejected=dict(Counter(reason for _row, reason, _field in chunk.summary["rejects"])),
            exact_duplicates=found[Outcome.EXACT_DUPLICATE],
            near_duplicates=found[Outcome.NEAR_DUPLICATE],
            decontaminated=found[Outcome.DECONTAMINATED] + found[Outcome.SHARES_TEXT],
            not_drawn=found[Outcome.NOT_DRAWN],
            kept=found[Outcome.KEPT],
            deidentified_records=chunk.summary["deidentified_records"],
            deidentified_spans=chunk.summary["spans"],
        )
        by_source.setdefault(name, []).append(counts)
    sources = {name: summed(counts) for name, counts in by_source.items()}
    return Counters(total=summed(list(sources.values())), sources=sources)


def summed(counts: Sequence[SourceCounts]) -> SourceCounts:
    """The counts added up, field by field; those by reason or kind are added up by reason or kind."""
    added: dict[str, Any] = {}
    for name in SourceCounts.__struct_fields__:
        values = [getattr(one, name) for one in counts]
        if isinstance(values[0], dict):
            total = Counter[str]()
            for value in values:
                total.update(value)
            added[name] = dict(sorted(total.items()))
        else:
            added[name] = sum(values)
    return SourceCounts(**added)


def _by_chunk(mapped: Sequence[MappedChunk], values: Any) -> list[Any]:
    return np.split(values, np.cumsum([chunk.count for chunk in mapped])[:-1])


def alarms_of(config: Config, counters: Counters) -> list[str]:
    """A sentence for every source of which too much was removed, rejected or de-identified.

    Long sessions that are in the dataset as a source of their own are none of these.
    """
    alarms = []
    for name, counts in counters.sources.items():
        records = counts.records - counts.rejected.get(LONG_ELSEWHERE, 0)
        usable = counts.records - sum(counts.rejected.values())
        removed = counts.exact_duplicates + counts.near_duplicates + counts.decontaminated
        shares = (
            ("rejected", records - usable, records, config.alarms.rejected),
            ("removed as duplicates or protected prompts", removed, usable, config.alarms.removed),
            ("changed by de-identification", counts.deidentified_records, usable, config.alarms.deidentified),
        )
        for what, count, of, limit in shares:
            if of and count / of > limit:
                alarms.append(
                    f"{name}: {count} of {of} records were {what}, more than {limit:.0%}; look at them."
                )
    return alarms
