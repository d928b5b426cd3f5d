"""The record and the manifest as they are written, and the JSON Schemas shipped beside them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from datasets_app.sources.records import Role

SCHEMA_VERSION: Literal["1.0"] = "1.0"
MANIFEST_VERSION: Literal["1.0"] = "1.0"
SPLITS: tuple["Split", ...] = ("train", "val", "test")

# What msgspec raises for bytes that are not of the contract.
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Split = Literal["train", "val", "test"]
PiiStatus = Literal["scrubbed", "none_detected", "requires_review"]
Sha256 = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]
HexDigest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the contract: it has exactly the fields named here."""


class Message(_Part, frozen=True, kw_only=True):
    """One turn."""

    role: Role
    content: Annotated[str, Meta(min_length=1)]


class Provenance(_Part, frozen=True, kw_only=True):
    """Where a record came from and what was done to it; `dedup_status` stands last, see `lines.py`."""

    original_key: Name
    processing_pipeline: Name
    processing_steps: Annotated[list[Name], Meta(min_length=1)]
    dedup_status: Literal["unique", "first_of_cluster"]


class Metadata(_Part, frozen=True, kw_only=True):
    """What is known of a conversation besides its text; `provenance` and `split` stand last.

    `source`, `session` and `scenario` tell sources, sessions and shared prompts apart, and `group` is the
    hash all records have in common that may not be divided between splits. `category` is what the source says
    a conversation is about, where it says so. `rejected_reply` is what was found worse than the last message:
    the other half of a pair to train preferences on.
    """

    source_family: Name
    source_key: Name
    content_hash: Sha256
    legacy_content_hash: Sha256
    pii_status: PiiStatus
    license_tag: Name
    phase: Name
    source: Name
    session: Name
    scenario: str | UnsetType = UNSET
    category: Name | UnsetType = UNSET
    conversation_length: Count | UnsetType = UNSET
    total_tokens: Count | UnsetType = UNSET
    quality_score: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    flags: list[Name] | UnsetType = UNSET
    rejected_reply: Name | UnsetType = UNSET
    provenance: Provenance
    group: HexDigest
    split: Split


class Record(_Part, frozen=True, kw_only=True):
    """One conversation: a line of JSON, a row of Parquet."""

    messages: Annotated[list[Message], Meta(min_length=1)]
    metadata: Metadata


class Shard(_Part, frozen=True, kw_only=True):
    """One file of records of one split, as JSON Lines or as Parquet; paths are relative to the manifest."""

    shard_id: Name
    path: Name
    size_bytes: Count
    sha256: HexDigest
    conversation_count: Count
    source_families: list[Name]


class SplitShards(_Part, frozen=True, kw_only=True):
    """The shards of one split; the Parquet files hold the same records as the JSON Lines files."""

    conversations: Count
    shards: list[Shard]
    parquet_shards: list[Shard]


class FamilyCounts(_Part, frozen=True, kw_only=True):
    """What is there of a family, against what was wanted."""

    conversations: Count
    splits: dict[Split, Count]
    target: Count
    shortfall: Count


class Input(_Part, frozen=True, kw_only=True):
    """One file that was read."""

    uri: Name
    source_family: Name
    sha256: HexDigest
    rows: Count
    license: Name


class SourceCounts(_Part, frozen=True, kw_only=True):
    """What became of the records of one source: `in` is the sum of all that follows."""

    records: Count = msgspec.field(name="in")
    rejected: dict[str, Count]
    exact_duplicates: Count
    near_duplicates: Count
    decontaminated: Count
    not_drawn: Count
    kept: Count
    deidentified_records: Count
    deidentified_spans: dict[str, Count]


class Counters(_Part, frozen=True, kw_only=True):
    """The counts of the whole build and of each source."""

    total: SourceCounts
    sources: dict[str, SourceCounts]


class GateResult(_Part, frozen=True, kw_only=True):
    """Whether one of the eight gates holds, and in words why not."""

    gate: Name
    holds: bool
    findings: list[str]


class Sidecar(_Part, frozen=True, kw_only=True):
    """A file beside the manifest."""

    uri: Name
    sha256: HexDigest


class Splits(_Part, frozen=True, kw_only=True):
    """The three splits."""

    train: SplitShards
    val: SplitShards
    test: SplitShards


class Manifest(_Part, frozen=True, kw_only=True):
    """What a build consists of; written last, it is the pointer to the build."""

    manifest_version: Literal["1.0"]
    schema_version: Literal["1.0"]
    build_id: HexDigest
    generated_at: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    total_conversations: Count
    total_tokens_approx: Count
    splits: Splits
    source_families: dict[str, FamilyCounts]
    holdout_families: list[str]
    params: dict[str, Any]
    kernel_version: Name
    inputs: Annotated[list[Input], Meta(min_length=1)]
    counters: Counters
    alarms: list[str]
    gates: list[GateResult]
    provenance: Sidecar


def schema_of(part: type[Record] | type[Manifest]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record or of a manifest."""
    schema = msgspec.json.schema(part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
