"""Families, targets, mixes and holdouts out of YAML, each fault named with its file and field."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import yaml
from msgspec import Meta

from datasets_app.sources.records import Role

SHIPPED = Path(__file__).with_name("families.yaml")
MIX_TOLERANCE = 1e-6

Share = Annotated[float, Meta(ge=0, le=1)]


class ConfigError(Exception):
    """A configuration that cannot be used; the message names the file, the field and the remedy."""

    def __init__(self, file: str, field: str, problem: str) -> None:
        super().__init__(f"{file}: {field}: {problem}." if field else f"{file}: {problem}.")
        self.file = file
        self.field = field


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of the file: it has exactly the fields named here."""


class Family(_Section, frozen=True, kw_only=True):
    """One family: how many conversations it should have, at most may have, and the phase it is for."""

    target: Annotated[int, Meta(ge=0)]
    phase: Annotated[str, Meta(min_length=1)]
    at_most: Annotated[int, Meta(ge=1)] | None = None
    is_required: bool = False
    is_synthetic: bool = False


def made_up_of(families: Mapping[str, Family]) -> frozenset[str]:
    """The families whose conversations nobody has had."""
    return frozenset(name for name, family in families.items() if family.is_synthetic)


class Holdout(_Section, frozen=True, kw_only=True):
    """What of a family is for test alone."""

    family: str
    sources: list[str] = []
    sessions: list[str] = []
    share_of_sessions: Share = 0


class SourceFacts(_Section, frozen=True, kw_only=True):
    """How one file is to be read, and under which licence it may be used."""

    format: str = "auto"
    license: Annotated[str, Meta(min_length=1)] = "unknown"
    encoding: str | None = None
    columns: dict[str, str] = {}
    speakers: dict[str, Role] = {}
    are_long_sessions_elsewhere: bool = False  # given as a source of their own, and so left out of this one


class NearDuplicates(_Section, frozen=True, kw_only=True):
    """When two conversations are the same but for small edits; bands and rows only find candidates."""

    shingle_words: Annotated[int, Meta(ge=1, le=8)] = 2
    threshold: Annotated[float, Meta(gt=0, le=1)] = 0.7
    bands: Annotated[int, Meta(ge=1, le=64)] = 20
    rows: Annotated[int, Meta(ge=1, le=16)] = 6


class Alarms(_Section, frozen=True, kw_only=True):
    """Shares of a source's records that are too many to pass without a look."""

    deidentified: Share = 0.2
    removed: Share = 0.5
    rejected: Share = 0.5


class Config(_Section, frozen=True, kw_only=True):
    """All that may be decided about a dataset besides its sources and the seed."""

    families: dict[str, Family]
    mixes: dict[str, dict[str, Share]] = {}
    holdouts: list[Holdout] = []
    sources: dict[str, SourceFacts] = {}
    protected: list[str] = []
    near_duplicates: NearDuplicates = NearDuplicates()
    alarms: Alarms = Alarms()
    is_rehearsal: bool = False


def load_config(path: Path | None = None) -> Config:
    """The shipped configuration, with the file at `path` laid over it. Raises ConfigError."""
    if path is None:
        return _checked(read_yaml(SHIPPED), SHIPPED.name)
    return config_over_shipped(read_yaml(path), path.name, path.parent)


def config_over_shipped(given: Mapping[str, Any], file: str, folder: Path, within: str = "") -> Config:
    """The shipped configuration with sections out of a file laid over it; paths are relative to `folder`.

    `within` is where the sections stand in the file. Raises ConfigError.
    """
    shipped = read_yaml(SHIPPED)
    families = given.get("families", {})
    if not isinstance(families, dict):
        raise ConfigError(file, f"{within}families", "expected names of families, each with its fields")
    merged = {**shipped, **given, "families": {**shipped["families"], **families}}
    config = _checked(merged, file)
    protected = [str((folder / name).resolve()) for name in config.protected]
    return msgspec.structs.replace(config, protected=protected)


def read_yaml(path: Path) -> dict[str, Any]:
    """The sections of a file, in which no key stands twice. Raises ConfigError."""
    try:
        loaded = yaml.load(path.read_bytes(), Loader=_OnceLoader)  # noqa: S506 -- it is a SafeLoader
    except OSError as error:
        raise ConfigError(path.name, "", f"the file cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not text in UTF-8"
        raise ConfigError(path.name, place, f"this is not YAML: {problem}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(path.name, "", "expected names of sections, such as families")
    return loaded


class _OnceLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, where YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _value in node.value:
            if key_node.value in seen:
                problem = f"the key {key_node.value} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _checked(raw: Mapping[str, Any], file: str) -> Config:
    for name in raw:
        if name not in Config.__struct_fields__:
            known = ", ".join(Config.__struct_fields__)
            raise ConfigError(file, str(name), f"there is no such section; known are {known}")
    families = {
        name: part_of(value, Family, file, f"families.{name}") for name, value in raw["families"].items()
    }
    sources = part_of(raw.get("sources", {}), dict[str, Any], file, "sources")
    config = Config(
        families=families,
        mixes=_mixes(raw.get("mixes", {}), families, file),
        holdouts=_holdouts(raw.get("holdouts", []), families, file),
        sources={
            name: part_of(value, SourceFacts, file, f"sources.{name}") for name, value in sources.items()
        },
        protected=part_of(raw.get("protected", []), list[str], file, "protected"),
        near_duplicates=part_of(raw.get("near_duplicates", {}), NearDuplicates, file, "near_duplicates"),
        alarms=part_of(raw.get("alarms", {}), Alarms, file, "alarms"),
        is_rehearsal=part_of(raw.get("is_rehearsal", False), bool, file, "is_rehearsal"),
    )
    return config


def _mixes(raw: object, families: Mapping[str, Family], file: str) -> dict[str, dict[str, float]]:
    mixes = {
        stage: part_of(shares, dict[str, Share], file, f"mixes.{stage}")
        for stage, shares in part_of(raw, dict[str, Any], file, "mixes").items()
    }
    for stage, shares in mixes.items():
        for family in shares:
            _known(family, families, file, f"mixes.{stage}.{family}")
        if abs(sum(shares.values()) - 1) > MIX_TOLERANCE:
            problem = f"the shares add up to {sum(shares.values()):g}, not to 1"
            raise ConfigError(file, f"mixes.{stage}", problem)
    return mixes


def _holdouts(raw: object, families: Mapping[str, Family], file: str) -> list[Holdout]:
    holdouts = []
    for index, value in enumerate(part_of(raw, list[Any], file, "holdouts")):
        field = f"holdouts[{index}]"
        holdout = part_of(value, Holdout, file, field)
        _known(holdout.family, families, file, f"{field}.family")
        if not (holdout.sources or holdout.sessions or holdout.share_of_sessions):
            raise ConfigError(file, field, "name sources, sessions or a share_of_sessions above 0")
        holdouts.append(holdout)
    return holdouts


def _known(family: str, families: Mapping[str, Family], file: str, field: str) -> None:
    if family not in families:
        raise ConfigError(file, field, f"there is no family “{family}” under families")


Part = TypeVar("Part")
_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<place>[^`]*)`)?$", re.DOTALL)


def part_of(value: object, kind: type[Part], file: str, field: str) -> Part:
    """The value of a field as what it has to be. Raises ConfigError with the place of the fault."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = _PLACE.fullmatch(str(error))
        place = (found["place"] if found else None) or ""
        problem = found["problem"] if found else str(error)
        raise ConfigError(file, ".".join(filter(None, (field, place))), problem.lower()) from None
