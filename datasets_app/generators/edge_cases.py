"""The 25 edge-case categories asked of a model: the plans and facts of the grammar, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.synthesis.chance import chance
from datasets_app.synthesis.covering import Plan, plans_for
from datasets_app.synthesis.dialogue import Told, Turn, region_named
from datasets_app.synthesis.generation import CategoryResult, Order
from datasets_app.synthesis.grammar import category_grammar
from datasets_app.synthesis.people import fact_sheet
from datasets_app.synthesis.records import record_of

from .port import Request
from .rounds import MODEL_LICENSE, STEPS, Failure, Rounds
from .wording import WORDS_OF_SETTING, form_words, system_words

PIPELINE = "edge_case_model/1.0"
WORDS_OF_STANCE = {
    "seeking": "has asked for help",
    "ambivalent": "is in two minds about being here",
    "resisting": "does not want help",
    "sent": "was sent by others",
}
WORDS_OF_DIFFICULTY = {
    "open": "talks openly",
    "guarded": "is guarded, and there is a rupture that the therapist repairs",
    "volatile": "is volatile, and there is a rupture that the therapist repairs",
}
WORDS_OF_PROTECTIVE = {
    "family": "somebody of the family",
    "friend": "a friend",
    "faith": "faith",
    "animal": "an animal",
    "work": "work",
    "future": "something still to come",
}


@dataclass(frozen=True, slots=True)
class EdgeCaseSlot:
    """One dialogue of a category."""

    plan: Plan
    order: Order
    facts: Mapping[str, str]

    @property
    def key(self) -> str:
        """Its name in the files."""
        return f"edge-{self.order.seed}-{self.plan.category}-{self.plan.number:04d}"

    @property
    def group(self) -> str:
        """The category."""
        return self.plan.category

    def request(self, attempt: int) -> Request:
        """The dialogue as it is asked for."""
        plan = {"category": self.plan.category, "number": str(self.plan.number), **self.plan.levels}
        system = system_words(category_grammar(self.plan.category))
        return Request(self.key, attempt, self.order.seed, plan, self.facts, system, self._prompt())

    def record(self, turns: Sequence[Turn], attempt: int, identity: Mapping[str, str]) -> dict[str, Any]:
        """The dialogue as a record of the contract: that of the grammar, under the model's name and terms."""
        told = Told(self.plan, tuple(turns), (), self.facts, ())
        record = record_of(told, seed=self.order.seed, attempt=attempt, region=self.order.region)
        metadata = record["metadata"]
        del metadata["synthetic"]["grammar_version"]
        metadata["synthetic"] |= identity
        metadata["license_tag"] = MODEL_LICENSE
        metadata["provenance"] |= {"processing_pipeline": PIPELINE, "processing_steps": list(STEPS)}
        return record

    def _prompt(self) -> str:
        plan, facts = self.plan, self.facts
        return "\n".join(
            [
                f"{facts['name']}, {facts['age']}, {facts['job']}, has a {plan['persona']} way of speaking.",
                f"The two speak {WORDS_OF_SETTING[plan['setting']]}.",
                f"The client {WORDS_OF_STANCE[plan['stance']]}.",
                f"The client {WORDS_OF_DIFFICULTY[plan['difficulty']]}.",
                f"The risk is {plan['risk']}. What protects: {WORDS_OF_PROTECTIVE[plan['protective']]}.",
                f"People who may be spoken of: {facts['o']} ({facts['rel']}), {facts['friend']} (a friend), "
                f"{facts['sibname']} ({facts['sib']}).",
                *form_words(facts["help_line"], facts["emergency"]),
            ]
        )


def slots_of(order: Order) -> Iterator[EdgeCaseSlot]:
    """All dialogues that are wanted, category after category; the same plans as the grammar's."""
    region = region_named(order.region)
    for category, count in order.shares().items():
        for plan in plans_for(category, count, order.seed):
            throw = chance(order.seed, "facts", category, plan.number)
            facts = fact_sheet(category_grammar(category), plan["setting"], region, throw)
            yield EdgeCaseSlot(plan, order, facts)


def ask_for(order: Order, rounds: Rounds) -> tuple[list[CategoryResult], list[Failure]]:
    """The dialogues by category, and what is not there."""
    results = {name: CategoryResult(name) for name in order.categories}
    failures = []
    for result in rounds.run(slots_of(order)):
        if isinstance(result, Failure):
            failures.append(result)
            results[result.group].turn_down(result.reason)
        else:
            results[result["metadata"]["scenario"]["category"]].records.append(result)
    return list(results.values()), failures
