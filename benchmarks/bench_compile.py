"""How fast sources become shards, what the near-duplicate step finds, and how fast the gates are."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import orjson
import psutil
from numpy.typing import NDArray

from datasets_app.compile import kernel
from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import NearDuplicates, load_config
from datasets_app.compile.reducing import candidates_in_memory, near_duplicates
from datasets_app.compile.runner import runner_for
from datasets_app.sources.records import Role, Turn
from datasets_app.verify import failed, read_dataset, verify_dataset

PROJECT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 0.05
FLOOR_RECORDS = 60_000
NEAR_RECORDS = 20_000
DATASKETCH_RECORDS = 4_000
SHARE_REPEATED = 0.1  # of each kind of repeat
WORDS_PER_TURN, TURNS = 32, 6

RUNS = 3
WORD = re.compile(r"\w+")

Words = list[list[str]]  # the words of each turn
Records = list[tuple[Turn, ...]]
Planted = list[tuple[str, tuple[Turn, ...]]]  # what kind of repeat each record is
_chance = random.Random(20260606)  # noqa: S311 -- made-up text
VOCABULARY = [
    "".join(_chance.choices("abcdefghijklmnopqrstuvwxyz", k=_chance.randint(2, 9))) for _ in range(20_000)
]


def run() -> list[dict[str, Any]]:
    """The figures of 60,000 conversations, and of the near-duplicate step beside two libraries."""
    with tempfile.TemporaryDirectory(prefix="prometheus-bench-") as folder:
        rows = _compile_rows(Path(folder), 60_000, has_parquet=True)
    return [*rows, *_near_duplicate_rows()]


def run_millions() -> list[dict[str, Any]]:
    """The figures of 1,000,000 conversations as JSON Lines, and of three times as many beside them.

    It wants the machine for itself, and 20 GB of disk.
    """
    rows = []
    for count in (1_000_000, 3_000_000):
        with tempfile.TemporaryDirectory(prefix="prometheus-bench-") as folder:
            rows += _compile_rows(Path(folder), count, has_parquet=False)
    return rows


def _compile_rows(folder: Path, count: int, *, has_parquet: bool) -> list[dict[str, Any]]:
    source, out = folder / "talks.jsonl", folder / "out"
    _write(source, count)
    _write(folder / "few.jsonl", 500)
    _measured("compile", folder / "few.jsonl", folder / "few", has_parquet)  # the kernel is compiled then
    _seconds, peak, told = _measured("compile", source, out, has_parquet)
    kind = "JSON Lines and Parquet" if has_parquet else "JSON Lines"
    rows = [
        {
            "step": f"compile {count:,} to {kind}, with start-up, before the gates",
            "outcome": f"{source.stat().st_size / 1e6:,.0f} MB in, {told['kept']:,} kept",
            "seconds": round(told["seconds"], 1),
            "records/s": round(count / told["seconds"]),
            "peak MB": round(peak / 1e6),
        }
    ]
    rows.append(_floor_row(source))
    seconds, peak, told = _measured("verify", source, out, has_parquet)
    rows.append(
        {
            "step": f"verify {told['kept']:,}, with start-up",
            "outcome": "all gates hold" if not told["failed"] else f"FAILS: {', '.join(told['failed'])}",
            "seconds": round(seconds, 1),
            "records/s": round(told["kept"] / seconds),
            "peak MB": round(peak / 1e6),
        }
    )
    return rows


def _floor_row(source: Path) -> dict[str, Any]:
    """What any reader of these lines needs at least, on this machine today."""
    with source.open("rb") as file:
        lines = list(islice(file, FLOOR_RECORDS))
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for line in lines:
            orjson.loads(line)
        times.append(time.perf_counter() - began)
    return {
        "step": f"floor: {len(lines):,} of them decoded by orjson, one process (median of {RUNS})",
        "seconds": round(median(times), 2),
        "records/s": round(len(lines) / median(times)),
    }


def _write(path: Path, count: int) -> None:
    """Write conversations of random words; every tenth repeats another but for 2 % of its words."""
    with path.open("wb") as file:
        for number in range(count):
            said = _dialogue(number)
            if number % 10 == 9:
                said = _edited(_dialogue(number - 9), 0.02, number)
            messages = [
                {"role": "assistant" if turn % 2 else "user", "content": " ".join(words)}
                for turn, words in enumerate(said)
            ]
            file.write(orjson.dumps({"id": f"s{number}", "messages": messages}) + b"\n")


def _measured(what: str, source: Path, out: Path, has_parquet: bool) -> tuple[float, int, dict[str, Any]]:
    """Seconds and the largest memory of a process and its children, and what it told."""
    order = [
        sys.executable,
        "-m",
        "benchmarks.bench_compile",
        what,
        str(source),
        str(out),
        str(int(has_parquet)),
        str(time.time()),
    ]
    began = time.perf_counter()
    with subprocess.Popen(order, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            time.sleep(SAMPLE_SECONDS)
        assert process.stdout is not None  # noqa: S101 -- it was asked for
        told = orjson.loads(process.stdout.read())
    return time.perf_counter() - began, peak, told


def _memory(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


class Found(NamedTuple):
    """How long it took, without making the word pairs too, and which records repeat an earlier one."""

    seconds: float
    own_seconds: float
    repeats: set[int]


@dataclass
class _InMemory:
    """A chunk that was never written, for the near-duplicate step alone."""

    count: int
    arrays: dict[str, NDArray[Any]]
    own_tokens: kernel.Tokens

    def array(self, name: str) -> NDArray[Any]:
        return self.arrays[name]

    def tokens(self) -> kernel.Tokens:
        return self.own_tokens


REPEATS: dict[str, Callable[[Words, int], Words]] = {
    "exact": lambda said, seed: said,
    "normalised": lambda said, seed: [[word.upper() + "," for word in words] for words in said],
    "2 % edits": lambda said, seed: _edited(said, 0.02, seed),
    "appended turn": lambda said, seed: [*said, _dialogue(-seed - 1)[0]],
    "5 % edits": lambda said, seed: _edited(said, 0.05, seed),
    "10 % edits": lambda said, seed: _edited(said, 0.10, seed),
}


def _near_duplicate_rows() -> list[dict[str, Any]]:
    originals = [_dialogue(number) for number in range(NEAR_RECORDS)]
    planted = [("", _turns(said)) for said in originals]
    for kind, repeat in REPEATS.items():
        for number in range(round(NEAR_RECORDS * SHARE_REPEATED)):
            planted.append((kind, _turns(repeat(originals[number], number))))
    few = [*planted[:DATASKETCH_RECORDS], *planted[NEAR_RECORDS :: NEAR_RECORDS // DATASKETCH_RECORDS]]
    _ours([turns for _kind, turns in planted[:100]])  # so that the kernel is compiled already
    return [
        _near_row("ours", planted, _ours),
        _near_row("rensa RMinHashDeduplicator", planted, _rensa),
        _near_row(f"datasketch MinHashLSH, {len(few):,} records", few, _datasketch),
    ]


def _near_row(name: str, planted: Planted, find: Callable[[Records], Found]) -> dict[str, Any]:
    """Each finds duplicates among the same texts; the libraries are given word pairs, made in Python."""
    kinds = [kind for kind, _turns in planted]
    records = [turns for _kind, turns in planted]
    runs = [find(records) for _ in range(RUNS)]
    found = runs[0].repeats
    recalls = {kind: sum(kinds[one] == kind for one in found) / max(kinds.count(kind), 1) for kind in REPEATS}
    precision = sum(bool(kinds[one]) for one in found) / max(len(found), 1)
    told = ", ".join(f"{kind} {recall:.3f}" for kind, recall in recalls.items())
    seconds = min(run.seconds for run in runs)
    return {
        "step": f"near duplicates, from the texts: {name} (best of {RUNS})",
        "outcome": f"recall: {told}; precision {precision:.4f}",
        "seconds": round(seconds, 2),
        "records/s": round(len(planted) / seconds),
        "seconds without making word pairs": round(min(run.own_seconds for run in runs), 2),
    }


def _ours(records: Records) -> Found:
    near = NearDuplicates()
    began = time.perf_counter()
    tokens = kernel.tokens_of(records)
    hashed = time.perf_counter()
    signatures = kernel.signatures_of(tokens, near.shingle_words, near.bands, near.rows)
    chunk = _InMemory(len(records), signatures._asdict(), tokens)
    pairs = near_duplicates([chunk], np.arange(len(records)), near, candidates_in_memory)
    repeats = kernel.first_of_their_kind(len(records), *pairs)
    ended = time.perf_counter()
    return Found(ended - began, ended - hashed, set(np.flatnonzero(repeats >= 0).tolist()))


def _rensa(records: Records) -> Found:
    import rensa

    near = NearDuplicates()
    permutations = near.bands * near.rows
    began = time.perf_counter()
    sets = _sets(records)
    made = time.perf_counter()
    known = rensa.RMinHashDeduplicator(near.threshold, permutations, use_lsh=True, num_bands=near.bands)
    hashes = rensa.RMinHash.from_token_sets(sets, permutations, 42)
    found = {number for number, one in enumerate(hashes) if not known.add(str(number), one)}
    ended = time.perf_counter()
    return Found(ended - began, ended - made, found)


def _datasketch(records: Records) -> Found:
    from datasketch import MinHash, MinHashLSH

    near = NearDuplicates()
    permutations = near.bands * near.rows
    began = time.perf_counter()
    sets = [[shingle.encode() for shingle in one] for one in _sets(records)]
    made = time.perf_counter()
    index = MinHashLSH(params=(near.bands, near.rows), num_perm=permutations)
    hashes = MinHash.bulk(sets, num_perm=permutations)
    found = set()
    for number, one in enumerate(hashes):
        mates = [hashes[mate].jaccard(one) for mate in index.query(one)]
        if mates and max(mates) >= near.threshold:
            found.add(number)
        else:
            index.insert(number, one)
    ended = time.perf_counter()
    return Found(ended - began, ended - made, found)


def _sets(records: Records) -> list[list[str]]:
    sets = []
    for turns in records:
        line = [f"{turn.role} {word}" for turn in turns for word in WORD.findall(turn.content.lower())]
        sets.append([f"{one} {other}" for one, other in pairwise(line)])
    return sets


def _turns(said: Words) -> tuple[Turn, ...]:
    return tuple(Turn(_role(turn), " ".join(words)) for turn, words in enumerate(said))


def _role(turn: int) -> Role:
    return "assistant" if turn % 2 else "user"


def _dialogue(number: int) -> Words:
    chance = random.Random(number)  # noqa: S311 -- made-up text
    return [chance.choices(VOCABULARY, k=WORDS_PER_TURN) for _ in range(TURNS)]


def _edited(said: Words, share: float, seed: int) -> Words:
    chance = random.Random(seed)  # noqa: S311 -- made-up text
    edited = [list(words) for words in said]
    places = [(turn, at) for turn, words in enumerate(said) for at in range(len(words))]
    for turn, at in chance.sample(places, round(len(places) * share)):
        edited[turn][at] = chance.choice(VOCABULARY)
    return edited


def _main(what: str, source: str, out: str, has_parquet: str, began: str) -> None:
    """Do one thing in this process, which is measured from outside, and tell the outcome as JSON."""
    with runner_for(psutil.cpu_count() or 1) as runner:
        if what == "verify":
            manifest = read_dataset(out)
            gates = verify_dataset(out, manifest, runner)
            told = {"kept": manifest.total_conversations, "failed": failed(gates)}
        else:
            given = (Given(Path(source), "professional_therapeutic"),)
            request = Request(given, load_config(), Path(out), 1, has_parquet == "1")
            manifest = compile_dataset(request, runner, lambda *parts: [], lambda step, done: None)
            told = {"kept": manifest.total_conversations}
        told["seconds"] = time.time() - float(began)
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    _main(*sys.argv[1:])
