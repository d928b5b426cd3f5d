"""Seeds of the extremes: who it is, what the client says first and what a clinician answers at once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.generators.gating import has_invented_number
from datasets_app.generators.novelty import Kept
from datasets_app.generators.port import Request
from datasets_app.synthesis.chance import chance
from datasets_app.synthesis.dialogue import Turn, region_named
from datasets_app.synthesis.people import fact_sheet
from datasets_app.synthesis.safe_messaging import gate
from datasets_app.synthesis.templates import Telling

from .plans import NightmarePlan, plans_for
from .records import SEED_FAMILY, record_of
from .scenarios import SCENARIOS_VERSION, scenario_named
from .telling import Teller

MOST_ATTEMPTS = 12
MOST_SHARED = 0.7  # Jaccard similarity of word trigrams with a seed of the same scenario
STEPS = ("plan", "tell", "safe_messaging", "novelty")
ASKED = ("danger", "access")
ROOMS = ("kitchen", "bathroom", "back bedroom", "front room", "utility room")  # with a door to stand in
LINES = (
    "If it gets too much while we talk, ring {emergency}. And {help_line} is there at any hour.",
    "Two numbers before we go on, so that you have them: {help_line}, and {emergency} if there's no time.",
    "{emergency} if anybody's in danger this minute. For every hour after that, {help_line}.",
    "Whatever comes of this talk, there's {help_line}, day and night, and {emergency} when it's urgent.",
)


@dataclass(frozen=True, slots=True)
class SeedOrder:
    """What is wanted: how many seeds of which scenarios, from which number, for which region."""

    count: int
    scenarios: tuple[str, ...]
    seed: int
    region: str = "anywhere"

    def shares(self) -> dict[str, int]:
        """How many of each scenario; what cannot be shared evenly goes to the first."""
        each, left = divmod(self.count, len(self.scenarios))
        return {name: each + (number < left) for number, name in enumerate(self.scenarios)}


@dataclass(slots=True)
class SeedCounts:
    """What became of the candidates."""

    made: Counter[str] = field(default_factory=Counter)
    turned_down: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)


def generate_seeds(order: SeedOrder, counts: SeedCounts) -> Iterator[dict[str, Any]]:
    """Yield the seeds as records; a plan for which no candidate passes is counted and named."""
    gate()  # a gate or a scenario that does not hold stops everything before the first seed
    for name in order.scenarios:
        scenario_named(name)
    for name, share in order.shares().items():
        kept = Kept(MOST_SHARED)
        for plan in plans_for(name, share, order.seed):
            record = _seed_of(plan, order, kept, counts)
            if record is None:
                counts.missing.append(_key(plan, order))
                continue
            counts.made[name] += 1
            yield record


def _key(plan: NightmarePlan, order: SeedOrder) -> str:
    return f"nightmare-{order.seed}-{plan.scenario}-{plan.number:04d}"


def _seed_of(plan: NightmarePlan, order: SeedOrder, kept: Kept, counts: SeedCounts) -> dict[str, Any] | None:
    for attempt in range(MOST_ATTEMPTS):
        facts, turns = _told(plan, order, attempt)
        breaches = _breaches_of(turns, facts)
        counts.turned_down.update(breaches)
        if breaches:
            continue
        if not kept.takes(turns):
            counts.turned_down["not_novel"] += 1
            continue
        synthetic = {
            "generator": "grammar",
            "version": SCENARIOS_VERSION,
            "seed": order.seed,
            "attempt": attempt,
            "region": order.region,
            "plan": plan.facts,
            "facts": dict(sorted(facts.items())),
        }
        key = _key(plan, order)
        return record_of(
            turns,
            key=key,
            seed_key=key,
            family=SEED_FAMILY,
            steps=STEPS,
            synthetic=synthetic,
            scenario=plan.scenario,
        )
    return None


def _told(plan: NightmarePlan, order: SeedOrder, attempt: int) -> tuple[dict[str, str], list[Turn]]:
    scenario = scenario_named(plan.scenario)
    throw = chance(order.seed, "seed", plan.scenario, plan.number, attempt)
    facts = fact_sheet(scenario.grammar, plan.setting, region_named(order.region), throw)
    facts["room"] = throw.choice(ROOMS)
    telling = Telling(throw, facts, {})
    request = Request(_key(plan, order), attempt, order.seed, plan.facts, facts, "", "")
    opening, reply = Teller(request).opening()
    asks = [telling.tell(throw.choice(throw.choice(scenario.grammar.sections[one]).asks)) for one in ASKED]
    answer = " ".join([reply, *asks, telling.tell(throw.choice(LINES))])
    vignette = telling.tell(throw.choice(scenario.vignettes))
    return facts, [Turn("system", vignette), Turn("user", opening), Turn("assistant", answer)]


def _breaches_of(turns: list[Turn], facts: dict[str, str]) -> list[str]:
    found = [breach.rule for breach in gate().breaches_of(turns, help_line=facts["help_line"])]
    return [*found, "invented_number"] if has_invented_number(turns, facts) else found
