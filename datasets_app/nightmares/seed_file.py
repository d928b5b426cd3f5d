"""Seeds out of the file that generate_ultra_nightmares wrote, each fault named with its row and field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from datasets_app.synthesis.grammar import KNOWN_FACTS, GrammarError

from .plans import NightmarePlan
from .records import SEED_FAMILY
from .scenarios import RECEPTIONS, scenario_named

NUMBER = re.compile(r"[0-9]{1,9}")
REMEDY = "write the file anew with generate_ultra_nightmares"


class SeedFileError(ValueError):
    """A file that holds no seeds; the message names file, row, field and remedy."""


class _Message(msgspec.Struct, frozen=True):
    role: str
    content: str


class _Synthetic(msgspec.Struct, frozen=True):
    plan: dict[str, str]
    facts: dict[str, str]
    region: str


class _Metadata(msgspec.Struct, frozen=True):
    source_family: str
    source_key: str
    synthetic: _Synthetic


class _Record(msgspec.Struct, frozen=True):
    messages: list[_Message]
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed as a dialogue is told from it."""

    key: str
    scenario: str
    number: int
    region: str
    vignette: str
    opening: str
    plan: dict[str, str]
    facts: dict[str, str]


def seeds_in(path: Path) -> Iterator[Seed]:
    """The seeds of a file, one line at a time. Raises SeedFileError."""
    keys: set[str] = set()
    row = 0
    try:
        with path.open("rb") as file:
            for row, line in enumerate(file, 1):
                seed = _seed_of(line, f"{path}, row {row}")
                if seed.key in keys:
                    raise SeedFileError(
                        f"{path}, row {row}, field metadata.source_key: it stands twice; {REMEDY}."
                    )
                keys.add(seed.key)
                yield seed
    except OSError as error:
        raise SeedFileError(f"{path} cannot be read ({error.strerror}); name the file of seeds.") from None
    if not row:
        raise SeedFileError(f"{path} holds no seeds; {REMEDY}.")


def _seed_of(line: bytes, place: str) -> Seed:
    try:
        record = msgspec.json.decode(line, type=_Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SeedFileError(f"{place}: this is no seed ({error}); {REMEDY}.") from None
    metadata, plan = record.metadata, record.metadata.synthetic.plan
    problem = _problem_of(record)
    if problem:
        raise SeedFileError(f"{place}, field {problem}; {REMEDY}.")
    return Seed(
        key=metadata.source_key,
        scenario=plan["scenario"],
        number=int(plan["number"]),
        region=metadata.synthetic.region,
        vignette=record.messages[0].content,
        opening=record.messages[1].content,
        plan=plan,
        facts=metadata.synthetic.facts,
    )


def _problem_of(record: _Record) -> str:
    metadata, plan = record.metadata, record.metadata.synthetic.plan
    if metadata.source_family != SEED_FAMILY:
        return f"metadata.source_family: {metadata.source_family!r} is not {SEED_FAMILY!r}"
    if set(plan) != set(NightmarePlan.__slots__) or not NUMBER.fullmatch(plan["number"]):
        return "metadata.synthetic.plan: it is not that of a seed"
    try:
        scenario = scenario_named(plan["scenario"])
    except GrammarError as error:
        return f"metadata.synthetic.plan.scenario: {error}"
    if plan["setting"] not in scenario.settings or plan["reception"] not in RECEPTIONS:
        return "metadata.synthetic.plan: the scenario has no such setting or reception"
    if [message.role for message in record.messages[:2]] != ["system", "user"]:
        return "messages: the situation (system) and the opening (user) come first"
    missing = KNOWN_FACTS - set(metadata.synthetic.facts)
    return f"metadata.synthetic.facts: {', '.join(sorted(missing))} is missing" if missing else ""
