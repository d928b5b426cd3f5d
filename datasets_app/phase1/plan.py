"""The plan of a run out of YAML: what is made, from which sources, and where it goes."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from datasets_app.compile.config import (
    Config,
    ConfigError,
    SourceFacts,
    config_over_shipped,
    part_of,
    read_yaml,
)
from datasets_app.sources.records import Role
from datasets_app.storage import S3_SCHEME
from datasets_app.synthesis.dialogue import region_named
from datasets_app.synthesis.generation import LEAST_DIALOGUES, WHY_NOT_ONE, chosen_categories

SHIPPED = Path(__file__).with_name("phase1.yaml")
REHEARSALS = "rehearsal"  # the folder of the target that rehearsals go into
LAID_OVER_BY_FIELD = ("edge_cases", "nightmares")

Count = Annotated[int, Meta(ge=0)]


class PlanError(Exception):
    """A plan that cannot be run; the message names the file, the field and the remedy."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A section of the file: it has exactly the fields named here."""


class EdgeCases(_Section, frozen=True):
    """How many dialogues of which categories."""

    count: Count
    categories: list[str]


class Nightmares(_Section, frozen=True):
    """How many seeds of the clinical extremes, and how many dialogues of each."""

    seeds: Count
    per_seed: Annotated[int, Meta(ge=1)]


class SourceRule(_Section, frozen=True):
    """What the sources of a pattern are: their family, how they are read, and under which licence.

    Sessions of 20 turns and more move to the family of long sessions where there are some to look for.
    """

    pattern: Annotated[str, Meta(min_length=1)]
    family: str
    has_long_sessions: bool = False
    format: str = "auto"
    license: Annotated[str, Meta(min_length=1)] = "unknown"
    encoding: str | None = None
    columns: dict[str, str] = {}
    speakers: dict[str, Role] = {}

    @property
    def facts(self) -> SourceFacts:
        """How a source of this pattern is read."""
        return SourceFacts(
            format=self.format,
            license=self.license,
            encoding=self.encoding,
            columns=self.columns,
            speakers=self.speakers,
            are_long_sessions_elsewhere=self.has_long_sessions,
        )


class _File(_Section, frozen=True):
    """The whole file."""

    seed: Count
    region: str
    edge_cases: EdgeCases
    nightmares: Nightmares
    source_folder: str | None
    sources: list[SourceRule]
    ignored: list[str]
    reference: str | None
    target: Annotated[str, Meta(min_length=1)]
    processes: Count
    dataset: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one run needs; `scale` above 1 multiplies the synthesis and makes it a rehearsal."""

    seed: int
    region: str
    edge_cases: int
    categories: tuple[str, ...]
    nightmare_seeds: int
    dialogues_per_seed: int
    source_folder: Path | None
    rules: tuple[SourceRule, ...]
    ignored: tuple[str, ...]
    reference: str | None
    config: Config
    target: str
    processes: int
    scale: int = 1

    @property
    def is_rehearsal(self) -> bool:
        """Whether the numbers are made up by scaling the synthesis."""
        return self.scale > 1


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A real source of the run, the name it is known by, and its rule."""

    path: Path
    name: str
    rule: SourceRule


def load_plan(
    path: Path | None,
    *,
    seed: int | None = None,
    sources: Path | None = None,
    target: str | None = None,
    scale: int = 1,
) -> Plan:
    """The file at `path` laid over the shipped plan, with what is given here laid over both.

    Raises PlanError.
    """
    if scale < 1:
        raise PlanError(f"--scale {scale}: it is at least 1.")
    if seed is not None and seed < 0:
        raise PlanError(f"--seed {seed}: it is not below 0.")
    place = path or SHIPPED
    try:
        file = part_of(_laid_over(path), _File, place.name, "")
        config = config_over_shipped(file.dataset, place.name, place.parent, "dataset.")
        _check(file, config, place.name)
        categories = chosen_categories(file.edge_cases.categories)
    except (ConfigError, ValueError) as error:
        raise PlanError(str(error)) from None
    folder = sources or (place.parent / file.source_folder if file.source_folder else None)
    plan = Plan(
        seed=file.seed if seed is None else seed,
        region=file.region,
        edge_cases=file.edge_cases.count * scale,
        categories=categories,
        nightmare_seeds=file.nightmares.seeds * scale,
        dialogues_per_seed=file.nightmares.per_seed,
        source_folder=folder.resolve() if folder else None,
        rules=tuple(file.sources),
        ignored=tuple(file.ignored),
        reference=file.reference,
        config=msgspec.structs.replace(config, is_rehearsal=scale > 1),
        target=_target(file.target, place.parent, target, scale),
        processes=file.processes or os.cpu_count() or 1,
        scale=scale,
    )
    found_sources(plan)  # what is not there, or of no family, is said before anything is made
    return plan


def found_sources(plan: Plan) -> list[FoundSource]:
    """Every source of the folder with its rule, in the order of names. Raises PlanError."""
    folder = plan.source_folder
    if folder is None:
        return []
    if not folder.is_dir():
        raise PlanError(f"{folder} is no folder: name the folder of the sources by --sources.")
    return list(_found(folder, plan))


def _found(folder: Path, plan: Plan) -> Iterator[FoundSource]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.name.startswith(".") or _fits_any(name, plan.ignored):
            continue
        rule = next((rule for rule in plan.rules if fits(name, rule.pattern)), None)
        if rule is None:
            raise PlanError(
                f"{name} in {folder} fits no pattern under sources: give it one with its family, or name it "
                "under ignored."
            )
        yield FoundSource(path, name, rule)


def fits(name: str, pattern: str) -> bool:
    """Whether a path in the folder is of a pattern; capitals do not count."""
    return fnmatchcase(name.lower(), pattern.lower())


def _fits_any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fits(name, pattern) for pattern in patterns)


def _laid_over(path: Path | None) -> dict[str, Any]:
    shipped = read_yaml(SHIPPED)
    given = read_yaml(path) if path else {}
    merged = {**shipped, **given}
    for name in LAID_OVER_BY_FIELD:
        if isinstance(given.get(name), Mapping):
            merged[name] = {**shipped[name], **given[name]}
    return merged


def _check(file: _File, config: Config, name: str) -> None:
    for number, rule in enumerate(file.sources):
        if rule.family not in config.families:
            known = ", ".join(sorted(config.families))
            raise ConfigError(
                name, f"sources[{number}].family", f"there is no family “{rule.family}”; there are {known}"
            )
    if config.sources:
        raise ConfigError(
            name, "dataset.sources", "what is known of sources stands under sources, by pattern"
        )
    if 0 < file.edge_cases.count < LEAST_DIALOGUES:
        raise ConfigError(name, "edge_cases.count", f"it is 0 or from {LEAST_DIALOGUES} on: {WHY_NOT_ONE}")
    region_named(file.region)


def _target(written: str, folder: Path, given: str | None, scale: int) -> str:
    """Where the dataset goes; a rehearsal never takes the place of the dataset that a file names."""
    if given:
        return given if given.startswith(S3_SCHEME) else str(Path(given).resolve())
    target = written if written.startswith(S3_SCHEME) else str((folder / written).resolve())
    return f"{target.rstrip('/')}/{REHEARSALS}" if scale > 1 else target
