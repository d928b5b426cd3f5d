"""Seeds into the dialogues that are wanted of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.generators.port import Request
from datasets_app.generators.rounds import STEPS
from datasets_app.generators.wording import system_words
from datasets_app.synthesis.dialogue import Turn

from .prompting import prompt_words
from .records import DIALOGUE_FAMILY, record_of
from .scenarios import scenario_named
from .seed_file import Seed


@dataclass(frozen=True, slots=True)
class Wish:
    """How many dialogues of each seed are wanted, and the number that decides them."""

    per_seed: int
    seed: int


@dataclass(frozen=True, slots=True)
class NightmareSlot:
    """One dialogue that is wanted of a seed."""

    seed: Seed
    number: int
    wish: Wish

    @property
    def key(self) -> str:
        """Its name in the files."""
        return f"{self.seed.key}/{self.number}"

    @property
    def group(self) -> str:
        """The extreme."""
        return self.seed.scenario

    @property
    def facts(self) -> Mapping[str, str]:
        """The facts of the seed."""
        return self.seed.facts

    @property
    def plan(self) -> dict[str, str]:
        """The plan of the seed, with a number of its own."""
        return {**self.seed.plan, "number": str(self.seed.number * self.wish.per_seed + self.number)}

    def request(self, attempt: int) -> Request:
        """The dialogue as it is asked for."""
        return Request(
            name=self.key,
            attempt=attempt,
            seed=self.wish.seed,
            plan=self.plan,
            facts=self.facts,
            system=system_words(scenario_named(self.group).grammar),
            prompt=prompt_words(self.seed.vignette, self.seed.opening, self.seed.plan, self.facts),
        )

    def record(self, turns: Sequence[Turn], attempt: int, identity: Mapping[str, str]) -> dict[str, Any]:
        """The dialogue as a record of the contract."""
        synthetic = {
            **identity,
            "seed": self.wish.seed,
            "attempt": attempt,
            "region": self.seed.region,
            "plan": self.plan,
            "facts": dict(sorted(self.facts.items())),
        }
        return record_of(
            turns,
            key=self.key,
            seed_key=self.seed.key,
            family=DIALOGUE_FAMILY,
            steps=STEPS,
            synthetic=synthetic,
            scenario=self.group,
        )


def slots_of(seeds: Iterable[Seed], wish: Wish) -> Iterator[NightmareSlot]:
    """All dialogues that are wanted, seed after seed."""
    return (NightmareSlot(seed, number, wish) for seed in seeds for number in range(wish.per_seed))
