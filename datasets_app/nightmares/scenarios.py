"""The twenty scenarios, each read from its file and checked before anything is told with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import yaml

from datasets_app.synthesis.grammar import Beat, CategoryGrammar, GrammarError, check_slots, grammar_from

SCENARIOS_VERSION = "1.1"
HERE = Path(__file__).parent / "scenarios"
SECTIONS = ("open", "explore", "danger", "access", "anchor", "act", "close")
RECEPTIONS = ("accepts", "wavers", "refuses")  # how the person meets the help that is brought in
LEVELS = dict.fromkeys(RECEPTIONS, "reception")
LEAST_OPENINGS = 3


@dataclass(frozen=True, slots=True)
class Scenario:
    """One clinical extreme: what clinicians should know of it, and few, checked words for it."""

    grammar: CategoryGrammar
    settings: tuple[str, ...]
    order: tuple[str, ...]
    vignettes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, as in the name of its file."""
        return self.grammar.name

    @property
    def frames(self) -> int:
        """Sentence frames of both roles."""
        return len(self.grammar_frames())

    def grammar_frames(self) -> tuple[str, ...]:
        """Every frame: what is asked, said and replied."""
        return tuple(
            frame
            for section in SECTIONS
            for beat in self.grammar.sections[section]
            for frame in (*beat.asks, *(text for one in beat.sayings for text in (one.text, *one.replies)))
        )


@lru_cache(maxsize=1)
def scenario_names() -> tuple[str, ...]:
    """The scenarios, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in HERE.glob("*.yaml")))


@cache
def scenario_named(name: str) -> Scenario:
    """Read and check one scenario. Raises GrammarError."""
    if name not in scenario_names():
        raise GrammarError(f"There is no scenario {name!r}; there are {', '.join(scenario_names())}.")
    held = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    try:
        scenario = Scenario(
            grammar=grammar_from(name, held, SECTIONS, LEVELS),
            settings=tuple(held["settings"]),
            order=tuple(held["order"]),
            vignettes=tuple(held["vignettes"]),
        )
    except KeyError as missing:
        raise GrammarError(f"{name}: the entry {missing} is missing.") from missing
    _check(scenario)
    return scenario


def chosen_scenarios(asked: str) -> tuple[str, ...]:
    """`all`, or names with commas between. Raises GrammarError."""
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if names == ["all"]:
        return scenario_names()
    return tuple(sorted({scenario_named(name).name for name in names}))


def _check(scenario: Scenario) -> None:
    """Refuse a scenario that leaves a reception without words, or that asks for more than it has."""
    grammar, name = scenario.grammar, scenario.name
    for section in SECTIONS:
        beats = grammar.sections[section]
        if scenario.order.count(section) > len(beats):
            raise GrammarError(f"{name}: the order asks for more of {section!r} than there is.")
        if section != "open" and any(not beat.asks for beat in beats):
            raise GrammarError(f"{name}, {section}: a group without a question.")
        for reception in RECEPTIONS:
            if not all(_answers(beat, {"reception": reception}) for beat in beats):
                raise GrammarError(f"{name}, {section}: no answer that {reception}.")
    if sum(len(beat.sayings) for beat in grammar.sections["open"]) < LEAST_OPENINGS:
        raise GrammarError(f"{name}: fewer than {LEAST_OPENINGS} openings.")
    if not {"open", "danger", "access", "act", "close"} <= set(scenario.order):
        raise GrammarError(f"{name}: the order leaves out a part that every dialogue needs.")
    for frame in (*scenario.grammar_frames(), *scenario.vignettes):
        check_slots(name, frame)


def _answers(beat: Beat, levels: Mapping[str, str]) -> bool:
    return any(saying.fits(levels, {}) for saying in beat.sayings)
