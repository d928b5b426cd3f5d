"""The map over chunks: from the records of one chunk to lines, keys and counts that the rest works on."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from datasets_app.compile import kernel, lookups
from datasets_app.compile.chunks import Chunk, records_of
from datasets_app.compile.config import SourceFacts
from datasets_app.compile.digests import content_hash, digest_of, legacy_content_hash
from datasets_app.compile.kernel import KERNEL_VERSION
from datasets_app.compile.splits import split_of
from datasets_app.compile.stages import LONG_ELSEWHERE, STEPS, deidentified, fault_of, is_long, normalise
from datasets_app.compile.store import Store, read_array, read_json, write_arrays, write_json
from datasets_app.sources.records import ROLES, Dialogue, Reject, Turn

PIPELINE_VERSION = "7"
PIPELINE = f"prometheus compile {PIPELINE_VERSION}"
USER = ROLES.index("user")
SHARE_STEPS = 10_000
CHARACTERS_PER_TOKEN = 4  # of English text and common tokenisers; only ever called approximate
CATEGORY_CHARACTERS, CATEGORY_WORDS = 60, 6
CLOSING = b"}}}"  # of provenance, metadata and record: what is decided later goes in before it


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What of a family is for test alone; sessions are written source/session."""

    sources: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    share_of_sessions: float = 0

    def holds(self, source: str, session: str) -> bool:
        """Whether a record of this source and session is held out."""
        if source in self.sources or session in self.sessions:
            return True
        if not self.share_of_sessions:
            return False
        step = int.from_bytes(hashlib.blake2b(session.encode(), digest_size=8).digest()) % SHARE_STEPS
        return step < self.share_of_sessions * SHARE_STEPS


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What the map of a chunk hangs on besides its content; `protected` names an artefact of the store."""

    phase: str
    is_synthetic: bool
    is_rehearsal: bool
    held_out: HeldOut
    protected: str
    shingle_words: int
    bands: int
    rows: int

    @property
    def facts(self) -> dict[str, Any]:
        """The settings as JSON-able facts."""
        facts = asdict(self)
        held_out = {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in facts.pop("held_out").items()
        }
        return {**facts, "held_out": held_out}


@dataclass(slots=True)
class Tally:
    """What became of the records of one chunk before they met the others."""

    records: int = 0
    rejects: list[tuple[int, str, str]] = field(default_factory=list)  # row, reason, field
    deidentified_records: int = 0
    spans: Counter[str] = field(default_factory=Counter)


class MappedChunk:
    """An artefact of the map, read back: one entry of each array per record that is left."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder
        self.key = key
        self.summary: dict[str, Any] = read_json(folder / "summary.json")
        self.count: int = self.summary["kept"]

    def array(self, name: str) -> NDArray[Any]:
        """`digests`, `splits` (of the digests), `sessions`, `scenarios`, `openings`, `wordings`, `rows`,
        `token_counts`, `is_held_out`, `is_protected`, `line_ends` or `band_keys` (a row per band)."""
        return read_array(self.folder, name)

    def tokens(self) -> kernel.Tokens:
        """The tokens of the records' turns, which are not the ones that `token_counts` estimates."""
        return kernel.Tokens(*map(self.array, kernel.Tokens._fields))

    def lines(self) -> bytes:
        """The records as JSON, one after the other, each without its closing."""
        return (self.folder / "lines.bin").read_bytes()


def key_of(chunk: Chunk, settings: MapSettings) -> str:
    """The name of a chunk's artefact."""
    return "map-" + digest_of(PIPELINE_VERSION, KERNEL_VERSION, chunk.facts, settings.facts)


def map_chunk(chunk: Chunk, settings: MapSettings, store_folder: str) -> str:
    """Make a chunk's artefact unless it is there; its name. Raises CompileError."""
    store, key = Store(Path(store_folder)), key_of(chunk, settings)
    if store.has(key):
        return key
    tally = Tally()
    valid = [found for record in records_of(chunk) if (found := _valid(record, tally, chunk.source.facts))]
    kept = _cleaned(valid, tally, settings)
    with store.writing(key) as folder:
        lines = [_line(one, chunk, settings) for one in kept]
        (folder / "lines.bin").write_bytes(b"".join(lines))
        ends = np.cumsum(np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)))
        write_arrays(folder, {"line_ends": ends, **_keys(kept, chunk, settings, store)})
        counts = {"deidentified_records": tally.deidentified_records, "spans": tally.spans}
        write_json(
            folder / "summary.json",
            {"records": tally.records, "kept": len(kept), "rejects": tally.rejects, **counts},
        )
    return key


@dataclass(slots=True)
class _Kept:
    dialogue: Dialogue
    turns: tuple[Turn, ...]
    rejected: tuple[Turn, ...]  # the reply that was found worse than the last turn, if any
    content_hash: str
    legacy_hash: str
    pii_status: str
    tokens: int


def _valid(
    record: Dialogue | Reject, tally: Tally, facts: SourceFacts
) -> tuple[Dialogue, tuple[Turn, ...]] | None:
    """A conversation and all its turns, normalised, the reply that was found worse behind the others."""
    tally.records += 1
    if isinstance(record, Reject):
        tally.rejects.append((record.row, record.reason.value, record.field))
        return None
    rejected = (Turn("assistant", record.rejected_reply),) if record.rejected_reply else ()
    turns = normalise((*record.turns, *rejected))
    if fault := fault_of(turns):
        tally.rejects.append((record.row, fault, ""))
        return None
    if facts.are_long_sessions_elsewhere and is_long(record.turns):
        tally.rejects.append((record.row, LONG_ELSEWHERE, ""))
        return None
    return record, turns


def _cleaned(
    valid: list[tuple[Dialogue, tuple[Turn, ...]]], tally: Tally, settings: MapSettings
) -> list[_Kept]:
    found = []
    all_clean = deidentified([turns for _record, turns in valid], keeps_names=settings.is_synthetic)
    for (record, _turns), clean in zip(valid, all_clean, strict=True):
        if clean.spans:
            tally.deidentified_records += 1
            tally.spans.update(clean.spans)
        said, other = clean.turns[: len(record.turns)], clean.turns[len(record.turns) :]
        hashes = content_hash(said), legacy_content_hash(said)
        found.append(_Kept(record, said, other, *hashes, clean.status, _tokens(said)))
    return found


def session_of(dialogue: Dialogue, source: str) -> str:
    """The session a record belongs to: as the source states it, else its key without the row behind it."""
    session = dialogue.meta.get("session") or dialogue.source_key.removesuffix(f"/{dialogue.row}")
    return f"{source}/{session}"


def category_of(dialogue: Dialogue) -> str:
    """What the source says the conversation is about, where that is a short name and no sentence."""
    named = (dialogue.meta.get("category") or dialogue.meta.get("topic") or "").lower()
    return named if len(named) <= CATEGORY_CHARACTERS and len(named.split()) <= CATEGORY_WORDS else ""


def _line(one: _Kept, chunk: Chunk, settings: MapSettings) -> bytes:
    """The record as JSON up to where its closing begins."""
    dialogue, source = one.dialogue, chunk.source
    license_tag = source.facts.license
    if license_tag == "unknown":
        license_tag = dialogue.meta.get("license_tag", license_tag)
    scenario = dialogue.meta.get("scenario")
    marks = {"synthetic": settings.is_synthetic, "rehearsal": settings.is_rehearsal}
    flags = {
        *dialogue.meta.get("flags", "").split(","),
        *(mark for mark, is_so in marks.items() if is_so),
    } - {""}
    category = category_of(dialogue)
    metadata = {
        "source_family": source.family,
        "source_key": dialogue.source_key,
        "content_hash": one.content_hash,
        "legacy_content_hash": one.legacy_hash,
        "pii_status": one.pii_status,
        "license_tag": license_tag,
        "phase": settings.phase,
        "source": source.name,
        "session": session_of(dialogue, source.name),
        **({"scenario": scenario} if scenario else {}),
        **({"category": category} if category else {}),
        "conversation_length": len(one.turns),
        "total_tokens": one.tokens,
        **({"flags": sorted(flags)} if flags else {}),
        **({"rejected_reply": one.rejected[0].content} if one.rejected else {}),
        "provenance": {
            "original_key": dialogue.source_key,
            "processing_pipeline": PIPELINE,
            "processing_steps": STEPS,
        },
    }
    messages = [{"role": turn.role, "content": turn.content} for turn in one.turns]
    return orjson.dumps({"messages": messages, "metadata": metadata})[: -len(CLOSING)]


def _keys(kept: list[_Kept], chunk: Chunk, settings: MapSettings, store: Store) -> dict[str, NDArray[Any]]:
    tokens = kernel.tokens_of([one.turns for one in kept])
    signatures = kernel.signatures_of(tokens, settings.shingle_words, settings.bands, settings.rows)
    openings = kernel.opening_keys(tokens.hashes, tokens.turn_ends, tokens.roles, tokens.record_ends, USER)
    sessions = [session_of(one.dialogue, chunk.source.name) for one in kept]
    scenarios = [one.dialogue.meta.get("scenario", "") for one in kept]
    held_out = [settings.held_out.holds(chunk.source.name, session) for session in sessions]
    digests = _bytes_of([one.content_hash for one in kept])
    wordings = _bytes_of([one.legacy_hash for one in kept])
    return {
        **tokens._asdict(),
        "digests": digests,
        "splits": np.array([split_of(digest.tobytes()) for digest in digests], dtype=np.uint8),
        "sessions": hashed(sessions),
        "scenarios": hashed(scenarios),
        "openings": openings,
        # The same words in other roles or another order are no repeat, and yet belong into one split.
        "wordings": np.ascontiguousarray(wordings[:, :8]).view("<u8").ravel(),
        "rows": np.array([one.dialogue.row for one in kept], dtype=np.int64),
        "token_counts": np.array([one.tokens for one in kept], dtype=np.int64),
        "is_held_out": np.array(held_out, dtype=np.bool_),
        "is_protected": _is_protected(kept, tokens, settings, store),
        "band_keys": signatures.band_keys,
    }


def _bytes_of(hashes: list[str]) -> NDArray[np.uint8]:
    """The 32 bytes of each `sha256:…`."""
    digits = "".join([one.removeprefix("sha256:") for one in hashes])
    return np.frombuffer(bytes.fromhex(digits), dtype=np.uint8).reshape(len(hashes), 32)


def _is_protected(
    kept: list[_Kept], tokens: kernel.Tokens, settings: MapSettings, store: Store
) -> NDArray[np.bool_]:
    if not settings.protected:
        return np.zeros(tokens.record_ends.size, dtype=np.bool_)
    if any(one.rejected for one in kept):
        tokens = kernel.tokens_of([(*one.turns, *one.rejected) for one in kept])
    table = np.array(read_array(store.path(settings.protected), "table"))
    ngrams, ends = kernel.ngrams_of(tokens)
    return lookups.shares_of(lookups.held_in(table, ngrams), ends) > 0


def _tokens(turns: Iterable[Turn]) -> int:
    return sum([len(turn.content) for turn in turns]) // CHARACTERS_PER_TOKEN


def hashed(names: list[str]) -> NDArray[np.uint64]:
    """A stable number for each name; 0 for none."""
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) if name else 0
            for name in names
        ],
        dtype=np.uint64,
    )
