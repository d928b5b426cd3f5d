"""The dataset card: the manifest in words and tables, below facts that the Hugging Face hub reads."""

from collections.abc import Iterable, Iterator, Sequence

import yaml

from datasets_app.compile.contract import SPLITS, Manifest, SourceCounts

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGEST = "n>1M"
LEFT_OUT = {
    "exact_duplicates": "exact duplicates",
    "near_duplicates": "near duplicates",
    "decontaminated": "protected prompts, or half of the text is in another split",
    "not_drawn": "not drawn: the family was full",
}
WARNING = (
    "Conversations about suicide, violence, abuse and other crises are among these. Nobody should read them "
    "unprepared, and no model trained on them should meet people without the gates and the supervision of "
    "this project. They are de-identified by patterns, which find much and not all."
)
REHEARSAL = (
    "**A rehearsal.** The made-up dialogues were multiplied so that the numbers are those of a full dataset. "
    "Every record has the flag `rehearsal`. Nothing is to be trained on this."
)


def is_rehearsal(manifest: Manifest) -> bool:
    """Whether the dataset was made to rehearse, by scaled synthesis."""
    return manifest.params.get("is_rehearsal") is True


def card_of(manifest: Manifest) -> str:
    """Return the card as Markdown; nothing stands in it that the manifest does not say."""
    facts = yaml.safe_dump(_facts(manifest), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{facts}---",
        "# Prometheus foundation data" + (", a rehearsal" if is_rehearsal(manifest) else ""),
        *([f"> {REHEARSAL}"] if is_rehearsal(manifest) else []),
        f"{manifest.total_conversations:,} conversations, about {manifest.total_tokens_approx:,} tokens. "
        f"Build `{manifest.build_id}` of {manifest.generated_at}.",
        f"> {WARNING}",
        "## What is in it",
        _table(["Family", "Origin", *SPLITS, "All", "Wanted", "Short of it"], _families(manifest)),
        "## What it was made from",
        _table(["Source", "Family", "Records", "Licence", "SHA-256"], _inputs(manifest)),
        "## What was left out",
        _table(["Why", "Records"], _left_out(manifest.counters.total)),
        f"From {manifest.counters.total.deidentified_records:,} records something was taken out that could "
        "identify somebody.",
        "## Whether it can be trusted",
        _table(["Gate", "Holds", "Findings"], _gates(manifest)),
        *[f"- Alarm: {alarm}" for alarm in manifest.alarms],
        "## How it was divided",
        "By group: what repeats, quotes or continues another record is in the same split, and so is every "
        "session and every made-up scenario. What is held out is in test alone. Made-up records are in train "
        "alone; the shares of val and test are those of what is real.",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(manifest: Manifest) -> dict[str, object]:
    files = [{"split": _hub_name(split), "path": f"{split}-*.parquet"} for split in _filled(manifest)]
    return {
        "license": "other",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": [
            "mental-health",
            "conversational",
            "croissant",
            *(["rehearsal"] if is_rehearsal(manifest) else []),
        ],
        "size_categories": [_size(manifest.total_conversations)],
        "configs": [{"config_name": "default", "data_files": files}],
    }


def _hub_name(split: str) -> str:
    return {"val": "validation"}.get(split, split)


def _filled(manifest: Manifest) -> Iterator[str]:
    return (split for split in SPLITS if getattr(manifest.splits, split).parquet_shards)


def _size(count: int) -> str:
    return next((name for below, name in SIZES if count < below), LARGEST)


def _families(manifest: Manifest) -> Iterator[list[object]]:
    declared = manifest.params["families"]
    for name, family in manifest.source_families.items():
        origin = "made up" if declared[name]["is_synthetic"] else "real"
        counts = [family.splits.get(split, 0) for split in SPLITS]
        yield [name, origin, *counts, family.conversations, family.target, family.shortfall]


def _inputs(manifest: Manifest) -> Iterator[list[object]]:
    for one in manifest.inputs:
        yield [one.uri, one.source_family, one.rows, one.license, f"`{one.sha256[:12]}…`"]


def _left_out(counts: SourceCounts) -> Iterator[list[object]]:
    yield from ([words, getattr(counts, name)] for name, words in LEFT_OUT.items())
    yield from ([f"rejected: {reason.replace('_', ' ')}", n] for reason, n in sorted(counts.rejected.items()))


def _gates(manifest: Manifest) -> Iterator[list[object]]:
    for gate in manifest.gates:
        yield [gate.gate, "yes" if gate.holds else "**no**", "; ".join(gate.findings) or "none"]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")
