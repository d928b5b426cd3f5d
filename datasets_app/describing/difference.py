"""How two builds of a dataset differ: inputs, parameters, and record by record what came, went or moved."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from datasets_app.compile.contract import SPLITS, UNDECODABLE, Manifest, Shard
from datasets_app.storage import StorageError

Read = Callable[[str], bytes]  # of a dataset's file, by its path


class _Facts(msgspec.Struct):
    content_hash: str
    source_family: str
    split: str


class _Line(msgspec.Struct):
    metadata: _Facts


@dataclass(frozen=True, slots=True)
class Build:
    """A dataset: its manifest, and how its files are read."""

    manifest: Manifest
    read: Read


@dataclass(frozen=True, slots=True)
class Difference:
    """What `after` has that `before` had not, and the reverse; records are counted by family."""

    inputs_added: list[str]
    inputs_removed: list[str]
    inputs_changed: list[str]
    parameters_changed: list[str]
    shards_same: int
    shards_of_after: int
    added: Counter[str]
    removed: Counter[str]
    moved: Counter[str]  # to another split
    kept: int

    @property
    def is_none(self) -> bool:
        """Whether both hold the same records in the same splits."""
        return not (self.added or self.removed or self.moved)


def difference_of(before: Build, after: Build) -> Difference:
    """Compare two builds by the content hashes of their records.

    Shards that both have are not opened. Raises StorageError, for a torn shard too.
    """
    old, new = _shards(before.manifest), _shards(after.manifest)
    same = old.keys() & new.keys()
    gone, come = _records(before, old, same), _records(after, new, same)
    stays = gone.keys() & come.keys()
    inputs = [{one.uri: one.sha256 for one in build.manifest.inputs} for build in (before, after)]
    params = [build.manifest.params for build in (before, after)]
    return Difference(
        inputs_added=sorted(inputs[1].keys() - inputs[0].keys()),
        inputs_removed=sorted(inputs[0].keys() - inputs[1].keys()),
        inputs_changed=_changed(*inputs),
        parameters_changed=_changed(*params),
        shards_same=len(same),
        shards_of_after=len(new),
        added=Counter(come[one].source_family for one in come.keys() - stays),
        removed=Counter(gone[one].source_family for one in gone.keys() - stays),
        moved=Counter(come[one].source_family for one in stays if come[one].split != gone[one].split),
        kept=sum(new[one].conversation_count for one in same) + len(stays),
    )


def _shards(manifest: Manifest) -> dict[str, Shard]:
    return {shard.sha256: shard for split in SPLITS for shard in getattr(manifest.splits, split).shards}


def _records(build: Build, shards: Mapping[str, Shard], same: set[str]) -> dict[str, _Facts]:
    """The facts of every record outside of the shards that both have, by its content hash."""
    decoder = msgspec.json.Decoder(_Line)
    found: dict[str, _Facts] = {}
    for sha256, shard in shards.items():
        if sha256 not in same:
            try:
                lines = decoder.decode_lines(build.read(shard.path))
            except UNDECODABLE:  # whose sentence may quote it
                raise StorageError(
                    f"{shard.path} holds something else than records: run verify_final_dataset."
                ) from None
            found |= {line.metadata.content_hash: line.metadata for line in lines}
    return found


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
