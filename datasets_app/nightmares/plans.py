"""Plans for the seeds: in every scenario each setting meets each way of receiving help, evenly."""

from collections.abc import Iterator
from dataclasses import dataclass

from datasets_app.synthesis.chance import chance

from .scenarios import RECEPTIONS, scenario_named


@dataclass(frozen=True, slots=True)
class NightmarePlan:
    """What one seed must be."""

    scenario: str
    number: int
    setting: str
    reception: str

    @property
    def facts(self) -> dict[str, str]:
        """The plan as a record states it."""
        return {
            "scenario": self.scenario,
            "number": str(self.number),
            "setting": self.setting,
            "reception": self.reception,
        }


def plans_for(scenario: str, count: int, seed: int) -> Iterator[NightmarePlan]:
    """`count` plans; each three hold each reception, and each three per setting hold each pair once."""
    settings = scenario_named(scenario).settings
    shuffled = chance(seed, "settings", scenario).sample(settings, len(settings))
    for number in range(count):
        turn, place = divmod(number, len(RECEPTIONS))
        receptions = chance(seed, "receptions", scenario, turn).sample(RECEPTIONS, len(RECEPTIONS))
        reception = receptions[place]
        at = turn + RECEPTIONS.index(reception)
        yield NightmarePlan(scenario, number, shuffled[at % len(settings)], reception)
