"""A small plan with real parts: made-up dialogues as the one source, a folder as the target."""

from dataclasses import dataclass
from pathlib import Path

from pytest_django import Settings

from tests.datasets_app.compile.making import dialogue, edited, write_dialogues

PLAN = """
edge_cases: {count: 0}
nightmares: {seeds: 0}
source_folder: sources
sources:
  - {pattern: "*.jsonl", family: professional_therapeutic, has_long_sessions: true}
target: published
"""


@dataclass(frozen=True)
class Installation:
    """Where an installation keeps what phase 1 reads and makes."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def source(self) -> Path:
        return self.folder / "sources" / "talks.jsonl"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    def environment(self) -> dict[str, str]:
        """Return the settings as another process reads them."""
        return {"PHASE1_PLAN": str(self.plan), "PHASE1_WORKSPACE": str(self.workspace)}


def installed(folder: Path, settings: Settings, count: int = 300) -> Installation:
    """Lay a plan and its source there, and let the settings name them."""
    made = Installation(folder)
    made.plan.write_text(PLAN)
    made.source.parent.mkdir()
    repeated = [edited(dialogue(number), 0.03) for number in range(20)]
    write_dialogues(made.source, [*map(dialogue, range(count)), *repeated])
    settings.PHASE1_PLAN, settings.PHASE1_WORKSPACE = made.plan, made.workspace
    settings.PHASE1_SOURCES, settings.PHASE1_TARGET = None, ""
    return made
