"""A dataset whose records can be tampered with so that only what is planted is wrong with it."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from datasets_app.compile.compiling import MANIFEST
from datasets_app.compile.digests import content_hash, legacy_content_hash
from datasets_app.compile.runner import Inline
from datasets_app.compile.writing import as_parquet
from datasets_app.sources.records import Turn
from datasets_app.verify import failed, read_dataset, verify_dataset

Record = dict[str, Any]
SPLITS = ("train", "val", "test")


class Planted:
    """A copy of a dataset: change `records` and `manifest`, then `save` it as its maker would have."""

    def __init__(self, original: Path, folder: Path) -> None:
        shutil.copytree(original, folder, ignore=shutil.ignore_patterns(".work"))
        self.folder = folder
        self.manifest: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        self.records: dict[str, list[Record]] = {
            split: [
                orjson.loads(line)
                for shard in self.shards(split)
                for line in self.path(shard).read_bytes().splitlines()
            ]
            for split in SPLITS
        }

    def shards(self, split: str, kind: str = "shards") -> list[dict[str, Any]]:
        return list(self.manifest["splits"][split][kind])

    def path(self, shard: dict[str, Any]) -> Path:
        return self.folder / str(shard["path"])

    def save(self) -> None:
        """Write shards and manifest anew, with counts and hashes that fit the records."""
        families: Counter[tuple[str, str]] = Counter()
        for split in SPLITS:
            families.update((record["metadata"]["source_family"], split) for record in self.records[split])
            data = b"".join(orjson.dumps(record) + b"\n" for record in self.records[split])
            (lines,), (table,) = self.shards(split), self.shards(split, "parquet_shards")
            self._write(lines, data, len(self.records[split]))
            self._write(table, bytes(as_parquet(data)), len(self.records[split]))
            self.manifest["splits"][split]["conversations"] = len(self.records[split])
        for name, counts in self.manifest["source_families"].items():
            counts["splits"] = {split: families[name, split] for split in SPLITS}
            counts["conversations"] = sum(counts["splits"].values())
            counts["shortfall"] = max(counts["target"] - counts["conversations"], 0)
        everything = [record for split in SPLITS for record in self.records[split]]
        self.manifest["total_conversations"] = len(everything)
        self.manifest["total_tokens_approx"] = sum(
            record["metadata"]["total_tokens"] for record in everything
        )
        self.save_manifest()

    def save_manifest(self) -> None:
        (self.folder / MANIFEST).write_bytes(orjson.dumps(self.manifest))

    def failing(self) -> list[str]:
        """The gates that do not hold."""
        address = str(self.folder)
        return failed(verify_dataset(address, read_dataset(address), Inline()))

    def _write(self, shard: dict[str, Any], data: bytes, count: int) -> None:
        self.path(shard).write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        shard.update(size_bytes=len(data), sha256=sha256, conversation_count=count)


def reworded(record: Record, change: Callable[[list[dict[str, str]]], object]) -> None:
    """Change a record's messages, and its hashes with them."""
    change(record["messages"])
    turns = [Turn(message["role"], message["content"]) for message in record["messages"]]
    record["metadata"]["content_hash"] = content_hash(turns)
    record["metadata"]["legacy_content_hash"] = legacy_content_hash(turns)


def everywhere(records: dict[str, list[Record]]) -> Iterator[Record]:
    """Every record."""
    for split in SPLITS:
        yield from records[split]
