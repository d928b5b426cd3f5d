"""Made-up pools whose texts speak of categories, and verified datasets of them."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets_app.compile.compiling import Given, Request, compile_dataset
from datasets_app.compile.config import load_config
from datasets_app.compile.contract import Manifest
from datasets_app.compile.runner import Inline
from datasets_app.selection.lexicon import shipped_lexicon
from datasets_app.selection.pool import Pool, Turns, Unit, gather
from datasets_app.sources.records import Turn
from datasets_app.verify import verify_local
from tests.datasets_app.compile.making import WORDS, write_lines

SAID = {
    "suicidality": "I want to die and there is no reason to live",
    "grief_complicated": "since she died there is grief at every anniversary",
    "chronic_pain_despair": "the pain and the fatigue and then a migraine",
    "": "it was an ordinary week",
}


def turns_of(category: str, number: int) -> Turns:
    """Two turns that speak of the category, in words of their own."""
    chance = random.Random(f"{category} {number}")  # noqa: S311 -- made-up text
    own = chance.choices(WORDS[:300], k=chance.randint(10, 40))
    return (
        Turn("user", f"{SAID[category]} {' '.join(own)}"),
        Turn("assistant", f"tell me more {' '.join(chance.choices(WORDS[:300], k=8))}"),
    )


def unit_of(category: str, number: int, *, group: str = "", family: str = "priority") -> Unit:
    """A unit of the category; alone in its cluster where no group is named."""
    turns = turns_of(category, number)
    return Unit(
        shard_id="train-00000",
        line=number + 1,
        content_hash=f"sha256:{category}-{number}",
        family=family,
        source="made-up.jsonl",
        source_key=str(number),
        license_tag="CC0",
        category=category,
        is_synthetic=False,
        group=group or f"{category}-{number}",
        start=0,
        stop=2,
        words=sum(len(turn.content.split()) for turn in turns),
    )


def pool_of(units: Iterable[Unit]) -> Pool:
    """The pool of these units."""
    found = [(unit, turns_of(unit.category, int(unit.source_key))) for unit in units]
    return gather([found], shipped_lexicon())


def mixed_pool(sizes: dict[str, int]) -> Pool:
    """A pool of so many units of each category."""
    return pool_of(unit_of(category, number) for category, size in sizes.items() for number in range(size))


def record_of(category: str, number: int, session: str = "") -> dict[str, Any]:
    """The same as a record of a source."""
    messages = [{"role": turn.role, "content": turn.content} for turn in turns_of(category, number)]
    named = {"category": category} if category else {}
    return {
        "id": f"{category or 'none'}-{number}",
        "messages": messages,
        "metadata": {**named, **({"session": session} if session else {})},
    }


def verified_dataset(
    folder: Path, sizes: dict[str, int], config_text: str = "", also: Iterable[dict[str, Any]] = ()
) -> Manifest:
    """Compile records of these categories, and others, into `folder`/dataset, its gates tried."""
    records = [record_of(category, number) for category, size in sizes.items() for number in range(size)]
    path = write_lines(folder / "talks.jsonl", [*records, *also])
    config = None
    if config_text:
        config = folder / "config.yaml"
        config.write_text(config_text)
    given = (Given(path, "professional_therapeutic"),)
    request = Request(given, load_config(config), folder / "dataset", 1, has_parquet=False)
    return compile_dataset(request, Inline(), verify_local, lambda step, done: None)
