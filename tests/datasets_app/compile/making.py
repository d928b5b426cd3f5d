"""Made-up dialogues of random words, and compiles of them."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import Config, load_config
from datasets_app.compile.contract import GateResult, Manifest
from datasets_app.compile.runner import Inline, Runner

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_chance = random.Random(20260101)  # noqa: S311 -- made-up text
WORDS = ["".join(_chance.choices(LETTERS, k=_chance.randint(2, 9))) for _ in range(4000)]

Messages = list[dict[str, str]]


def dialogue(number: int, turns: int = 6, words: int = 30) -> Messages:
    """The dialogue of this number: always the same, and like no other."""
    chance = random.Random(number)  # noqa: S311 -- made-up text
    return [
        {
            "role": "assistant" if turn % 2 else "user",
            "content": " ".join(chance.choices(WORDS, k=words)).capitalize() + ".",
        }
        for turn in range(turns)
    ]


def edited(messages: Messages, share: float, seed: int = 0) -> Messages:
    """The dialogue with this share of its words replaced."""
    chance = random.Random(seed)  # noqa: S311 -- made-up text
    words = [message["content"].split(" ") for message in messages]
    places = [(turn, at) for turn, said in enumerate(words) for at in range(len(said))]
    for turn, at in chance.sample(places, round(len(places) * share)):
        words[turn][at] = chance.choice(WORDS)
    return [
        {"role": message["role"], "content": " ".join(said)}
        for message, said in zip(messages, words, strict=True)
    ]


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write the records as JSON Lines."""
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return path


def write_dialogues(path: Path, dialogues: Iterable[Messages]) -> Path:
    """Write each dialogue as a record of its own session."""
    records = ({"id": f"s{at}", "messages": messages} for at, messages in enumerate(dialogues))
    return write_lines(path, records)


def no_gates(out: Path, manifest: Manifest, runner: Runner) -> list[GateResult]:
    """For tests of what comes before the gates."""
    return []


def compiled(
    out: Path,
    given: Sequence[tuple[Path, str]],
    *,
    config: Config | None = None,
    seed: int = 1,
    runner: Runner | None = None,
    report: Callable[[str, int], None] = lambda step, done: None,
    has_parquet: bool = True,
) -> Manifest:
    """Compile without gates."""
    sources = tuple(Given(path, family) for path, family in given)
    request = Request(sources, config or load_config(), out, seed, has_parquet)
    return compile_dataset(request, runner or Inline(), no_gates, report)


def config_of(tmp_path: Path, text: str) -> Config:
    """The shipped configuration with `text` laid over it."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config(path)


def records_in(out: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Every record of the build."""
    shards = [
        shard
        for split in (manifest.splits.train, manifest.splits.val, manifest.splits.test)
        for shard in split.shards
    ]
    return [orjson.loads(line) for shard in shards for line in (out / shard.path).read_bytes().splitlines()]


def hashes_of(manifest: Manifest) -> list[str]:
    """The hashes of all shards, in order."""
    splits = (manifest.splits.train, manifest.splits.val, manifest.splits.test)
    return [shard.sha256 for split in splits for shard in (*split.shards, *split.parquet_shards)]
