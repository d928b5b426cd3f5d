"""The shards of a build: JSON Lines, the same records as Parquet, and the list of what was left out."""

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from datasets_app.compile.contract import SPLITS
from datasets_app.compile.errors import writing_into
from datasets_app.compile.mapping import MappedChunk
from datasets_app.compile.reducing import Decisions, Outcome
from datasets_app.compile.store import Store, read_array, read_json, write_arrays, write_json

SHARD_RECORDS = 25_000
PARQUET_ROW_GROUP = 10_000

_TEXT, _COUNT = pa.string(), pa.int64()
ARROW_SCHEMA = pa.schema(
    [
        ("messages", pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))),
        (
            "metadata",
            pa.struct(
                [
                    *[(name, _TEXT) for name in ("source_family", "source_key", "content_hash")],
                    *[
                        (name, _TEXT)
                        for name in ("legacy_content_hash", "pii_status", "license_tag", "phase")
                    ],
                    *[(name, _TEXT) for name in ("source", "session", "scenario", "category")],
                    ("conversation_length", _COUNT),
                    ("total_tokens", _COUNT),
                    ("quality_score", pa.float64()),
                    ("flags", pa.list_(_TEXT)),
                    ("rejected_reply", _TEXT),
                    (
                        "provenance",
                        pa.struct(
                            [
                                ("original_key", _TEXT),
                                ("processing_pipeline", _TEXT),
                                ("processing_steps", pa.list_(_TEXT)),
                                ("dedup_status", _TEXT),
                            ]
                        ),
                    ),
                    ("group", _TEXT),
                    ("split", _TEXT),
                ]
            ),
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Part:
    """The records of one chunk that go into one shard; `decided` is a folder of its decisions."""

    chunk_key: str
    family: str
    decided: str


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to write, as files of this name in `folder`."""

    name: str
    split: int
    parts: tuple[Part, ...]
    store_folder: str
    folder: str
    has_parquet: bool


def hand_out_decisions(
    chunks: Sequence[MappedChunk], families: Sequence[str], decisions: Decisions, folder: Path
) -> list[Part]:
    """Write each chunk's share of the decisions for those who write the shards."""
    parts = []
    start = 0
    digests = np.concatenate([chunk.array("digests") for chunk in chunks])
    for index, (chunk, family) in enumerate(zip(chunks, families, strict=True)):
        span = slice(start, start + chunk.count)
        start += chunk.count
        kept = np.flatnonzero(decisions.outcomes[span] == Outcome.KEPT)
        groups = decisions.groups[span][kept]
        decided = folder / f"{index:06}"
        with writing_into(folder):
            decided.mkdir(parents=True, exist_ok=True)
            write_arrays(
                decided,
                {
                    "kept": kept,
                    "splits": decisions.splits[groups],
                    "roots": digests[decisions.roots[groups]],
                    "has_repeats": decisions.has_repeats[span][kept],
                },
            )
        parts.append(Part(chunk.key, family, str(decided)))
    return parts


def shard_tasks(
    parts: Sequence[Part], store_folder: Path, folder: Path, *, has_parquet: bool
) -> list[ShardTask]:
    """Consecutive chunks gathered into shards of about 25,000 records, split by split."""
    tasks = []
    counts = [np.bincount(read_array(Path(part.decided), "splits"), minlength=len(SPLITS)) for part in parts]
    for split, name in enumerate(SPLITS):
        gathered: list[Part] = []
        size, number = 0, 0
        for index, part in enumerate(parts):
            if counts[index][split]:
                gathered.append(part)
                size += int(counts[index][split])
            is_last = index == len(parts) - 1
            if gathered and (size >= SHARD_RECORDS or is_last):
                shard = f"{name}-{number:05}"
                tasks.append(
                    ShardTask(shard, split, tuple(gathered), str(store_folder), str(folder), has_parquet)
                )
                gathered, size, number = [], 0, number + 1
    return tasks


def write_shard(task: ShardTask) -> dict[str, Any]:
    """Write a shard's files unless an earlier run has; what the manifest says of them."""
    folder = Path(task.folder)
    done = folder / f"{task.name}.done.json"
    if done.exists():
        return dict(read_json(done))
    with writing_into(folder):
        lines: list[bytes] = []
        families: dict[str, int] = {}
        for part in task.parts:
            found = _lines_of(part, task)
            families[part.family] = families.get(part.family, 0) + len(found)
            lines += found
        data = b"".join(lines)
        facts = {
            "shard_id": task.name,
            "split": SPLITS[task.split],
            "conversation_count": len(lines),
            "families": families,
            "jsonl": _written(folder / f"{task.name}.jsonl", data),
            "parquet": None,
        }
        if task.has_parquet:
            facts["parquet"] = _written(folder / f"{task.name}.parquet", as_parquet(data))
        write_json(done, facts)
    return facts


def as_table(lines: bytes) -> pa.Table:
    """The records of JSON Lines as a table."""
    options = pa_json.ReadOptions(use_threads=False, block_size=len(lines) + 1)
    parse = pa_json.ParseOptions(explicit_schema=ARROW_SCHEMA, unexpected_field_behavior="error")
    return pa_json.read_json(io.BytesIO(lines), read_options=options, parse_options=parse)


def as_parquet(lines: bytes) -> memoryview:
    """The records of JSON Lines as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(as_table(lines), sink, compression="zstd", row_group_size=PARQUET_ROW_GROUP)
    return memoryview(sink.getvalue())


def closing(root: bytes, split: str, *, has_repeats: bool) -> bytes:
    """What a line ends with once all is decided about it."""
    status = "first_of_cluster" if has_repeats else "unique"
    return f',"dedup_status":"{status}"}},"group":"{root.hex()}","split":"{split}"}}}}\n'.encode()


def _lines_of(part: Part, task: ShardTask) -> list[bytes]:
    chunk = MappedChunk(Store(Path(task.store_folder)).path(part.chunk_key), part.chunk_key)
    decided = Path(part.decided)
    places = np.flatnonzero(read_array(decided, "splits") == task.split)
    kept, has_repeats = (read_array(decided, name)[places].tolist() for name in ("kept", "has_repeats"))
    roots = read_array(decided, "roots")[places]
    text, ends = chunk.lines(), chunk.array("line_ends").tolist()
    lines = []
    for row, root, repeats in zip(kept, roots, has_repeats, strict=True):
        body = text[ends[row - 1] if row else 0 : ends[row]]
        lines.append(body + closing(root.tobytes(), SPLITS[task.split], has_repeats=repeats))
    return lines


def _written(path: Path, data: bytes | memoryview) -> dict[str, Any]:
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return {"path": path.name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def write_left_out(
    path: Path, chunks: Sequence[MappedChunk], sources: Sequence[str], decisions: Decisions
) -> str:
    """Write one line for every record that was left out, without its text; the file's hash."""
    digests = [chunk.array("digests") for chunk in chunks]
    starts = np.cumsum([0, *[chunk.count for chunk in chunks]])
    sha256 = hashlib.sha256()
    part = path.with_name(f"{path.name}.part")
    with writing_into(path.parent), part.open("wb") as file:
        for index, (chunk, source) in enumerate(zip(chunks, sources, strict=True)):
            lines = [
                {"source": source, "row": row, "outcome": reason, "field": field}
                for row, reason, field in chunk.summary["rejects"]
            ]
            span = slice(int(starts[index]), int(starts[index + 1]))
            outcomes, repeats, rows = decisions.outcomes[span], decisions.repeats[span], chunk.array("rows")
            for place in np.flatnonzero(outcomes != Outcome.KEPT).tolist():
                line = {
                    "source": source,
                    "row": int(rows[place]),
                    "outcome": Outcome(outcomes[place]).name.lower(),
                }
                if (other := int(repeats[place])) >= 0:
                    owner = int(np.searchsorted(starts, other, side="right")) - 1
                    line["repeats"] = f"sha256:{digests[owner][other - starts[owner]].tobytes().hex()}"
                lines.append(line)
            data = b"".join(orjson.dumps(line) + b"\n" for line in lines)
            sha256.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return sha256.hexdigest()
