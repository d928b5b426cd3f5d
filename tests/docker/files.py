"""What the container files say, as data: services, environment, the image's instructions and its files."""

import ast
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]

PROJECT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT / "docker"
SECRETS = "/run/secrets/"


class Instruction(NamedTuple):
    """One instruction of the Dockerfile and the stage, from 0, that it belongs to."""

    name: str
    value: str
    stage: int


@cache
def compose() -> dict[str, Any]:
    """Return compose.yaml."""
    read: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return read


def service(name: str) -> dict[str, Any]:
    """Return one service of compose.yaml."""
    found: dict[str, Any] = compose()["services"][name]
    return found


@cache
def instructions() -> tuple[Instruction, ...]:
    """Return the Dockerfile's instructions in their order, comments left out."""
    with (DOCKER / "Dockerfile").open("rb") as file:
        parsed = DockerfileParser(fileobj=file).structure
    stage, found = -1, []
    for line in parsed:
        stage += line["instruction"] == "FROM"
        if line["instruction"] != "COMMENT":
            found.append(Instruction(line["instruction"], line["value"], stage))
    return tuple(found)


def final(name: str) -> list[str]:
    """Return the values of all instructions of that name in the image that is kept."""
    last = instructions()[-1].stage
    return [each.value for each in instructions() if each.name == name and each.stage == last]


def copied() -> list[str]:
    """Return the files and folders of the project that the image holds."""
    return [value.split()[0] for value in final("COPY")]


def copy_into(folder: Path) -> None:
    """Lay the image's files out in `folder`, as its COPY instructions do."""
    for name in copied():
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def environment(name: str, secrets: Path, operator: Mapping[str, str]) -> dict[str, str]:
    """Return a service's environment where `operator` stands in `.env` and the secrets lie in `secrets`."""

    def fill_in(value: str) -> str:
        set_or_default = re.sub(
            r"\$\{(\w+):-([^}]*)\}", lambda found: operator.get(found[1]) or found[2], value
        )
        return set_or_default.replace(SECRETS, f"{secrets}/")

    return {key: fill_in(str(value)) for key, value in service(name)["environment"].items()}


def read_by_the_site() -> set[str]:
    """Return every name that the site reads from the environment or from a file named there."""
    names = {"PROMETHEUS_HOME"}  # read before the settings, and never from a file
    for module in ("settings.py", "core/owner.py"):
        for node in ast.walk(ast.parse((PROJECT / "prometheus_site" / module).read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(read)), *_]
                ):
                    names |= {read, f"{read}_FILE"}
    return names
