"""From a plan to a dialogue: acts in clinical order, one fact sheet, each reply tied to what was said."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .chance import chance
from .covering import Plan
from .grammar import Beat, CategoryGrammar, Saying, Shared, category_grammar, shared, yaml_of
from .people import fact_sheet
from .register import VOICES, Speaker, same_meaning, spelled_out
from .templates import Telling, tidy

# Exchanges of one turn each: 8 to 20 turns in all.
LEAST_EXCHANGES, MOST_EXCHANGES = 4, 10
EXCHANGE_WEIGHTS = {4: 4, 5: 7, 6: 10, 7: 9, 8: 5, 9: 3, 10: 2}
RUPTURE_RATE = {"open": 0.25, "guarded": 1.0, "volatile": 1.0}
THERAPIST_WORDINESS = 0.45
PLAIN_ACTS = ("intent", "access", "intent+access")  # what is said of danger is said without flourish
SPELLED_OUT_RATE = 0.2  # therapists who write without contractions


Option = TypeVar("Option")


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance; `user` is the client and `assistant` the therapist."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Told:
    """A dialogue with what it was told from."""

    plan: Plan
    turns: tuple[Turn, ...]
    acts: tuple[str, ...]
    facts: Mapping[str, str]
    frames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange to be told: what the therapist asks first, what the client says and the reply to it."""

    act: str
    asks: tuple[str, ...]
    sayings: tuple[Saying, ...]


@dataclass(slots=True)
class Usage:
    """How often each frame of a category has been used, so that the rarest is taken."""

    times: Counter[str] = field(default_factory=Counter)

    def pick(self, frames: Sequence[str], throw: random.Random) -> str:
        """One of the rarest frames, drawn at random."""
        return self._rarest(frames, throw, lambda frame: self.times[frame])

    def pick_saying(self, sayings: Sequence[Saying], throw: random.Random) -> Saying:
        """One of the rarest sayings, drawn at random."""
        return self._rarest(sayings, throw, lambda saying: self.times[saying.text])

    def pick_beat(self, beats: Sequence[Beat], throw: random.Random) -> Beat:
        """One of the exchanges whose sayings are the rarest on average, drawn at random."""
        return self._rarest(beats, throw, self._mean_times)

    def _mean_times(self, beat: Beat) -> float:
        return sum(self.times[saying.text] for saying in beat.sayings) / len(beat.sayings)

    @staticmethod
    def _rarest(options: Sequence[Option], throw: random.Random, times: Callable[[Option], float]) -> Option:
        counted = [(times(option), option) for option in options]
        least = min(count for count, _ in counted)
        return throw.choice([option for count, option in counted if count == least])

    def count(self, frames: Iterable[str]) -> None:
        """Note that a dialogue with these frames was kept."""
        self.times.update(frames)


def acts_for(plan: Plan, throw: random.Random) -> list[str]:
    """The acts in order: opening, exploring, rupture and repair, risk, strengths, plan, close."""
    exchanges = throw.choices(list(EXCHANGE_WEIGHTS), list(EXCHANGE_WEIGHTS.values()))[0]
    has_rupture = throw.random() < RUPTURE_RATE[plan["difficulty"]]
    room = max(exchanges, LEAST_EXCHANGES + 1 + has_rupture) - LEAST_EXCHANGES - has_rupture
    is_split = room >= 2
    has_protective = room >= 1 + is_split or plan["risk"] == "low"
    explores = max(1, room - is_split - has_protective)
    risk = ["intent", "access"] if is_split else ["intent+access"]
    middle = ["explore"] * explores
    if has_rupture:
        middle.insert(throw.randint(min(1, explores), explores), "rupture")
    late = [*risk, *(["protective"] if has_protective else [])]
    if explores > 3 and throw.random() < 0.4:  # something more is told once the hard question is out
        middle.pop()
        late.insert(len(risk), "explore")
    acts = ["open", *middle, *late, "plan", "close"]
    return acts[:MOST_EXCHANGES]


class Teller:
    """Tells one dialogue; holds its throws, facts, voices and what has been asserted."""

    def __init__(self, plan: Plan, seed: int, attempt: int, region: Mapping[str, str], usage: Usage) -> None:
        self.plan = plan
        self.grammar: CategoryGrammar = category_grammar(plan.category)
        self.shared: Shared = shared()
        self.usage = usage
        self.throw = chance(seed, plan.category, plan.number, attempt)
        self.facts = fact_sheet(self.grammar, plan["setting"], region, self.throw)
        voice = VOICES[plan["persona"]]
        rules = self.shared.rules
        bound: dict[str, int] = {}
        self.client = Telling(self.throw, self.facts, rules, voice.wordiness, bound)
        self.therapist = Telling(self.throw, self.facts, rules, THERAPIST_WORDINESS, bound)
        self.speaker = Speaker(voice, self.throw, is_typing=plan["setting"] == "text_chat")
        self.is_spelled_out = self.throw.random() < SPELLED_OUT_RATE
        self.asserted: dict[str, str] = {}
        self.used: list[str] = []

    def tell(self) -> Told:
        """Tell the dialogue from the opening to the close."""
        acts = acts_for(self.plan, self.throw)
        turns: list[Turn] = []
        reply = ""
        for number, step in enumerate(self._steps(acts)):
            if number:
                turns.append(Turn("assistant", self._voiced(f"{stopped(reply)} {self._asked(step)}")))
            said, reply = self._exchange(step, with_stance=number == 0)
            turns.append(Turn("user", self.speaker.speak(said, is_plain=self._is_plain(step))))
        turns.append(Turn("assistant", self._voiced(stopped(reply))))
        return Told(self.plan, tuple(turns), tuple(acts), self.facts, tuple(self.used))

    def _steps(self, acts: Sequence[str]) -> Iterator[Step]:
        """One step after another, chosen when those before it are told: it must not contradict them."""
        explores = list(self.grammar.sections["explore"])
        for act in acts:
            if act == "explore":
                beat = self.usage.pick_beat(explores, self.throw)
                explores.remove(beat)
                yield _step(act, beat)
            elif act == "intent+access":
                yield self._both_risk_questions()
            elif act == "rupture":
                yield self._rupture()
            elif act == "plan" or (act == "close" and self.plan["risk"] == "high"):
                yield self._ending(act)
            else:
                yield _step(act, self.usage.pick_beat(self.grammar.sections[act], self.throw))

    def _both_risk_questions(self) -> Step:
        """One exchange that asks for intent and access at once, for a short dialogue."""
        intent, access = (
            self.usage.pick_beat(self.grammar.sections[name], self.throw) for name in ("intent", "access")
        )
        first = self._fitting(intent.sayings)
        self.asserted.update(first.asserts)
        second = self._fitting(access.sayings)
        self.asserted.update(second.asserts)
        replies = [self.usage.pick(one.replies, self.throw) for one in (first, second)]
        asks = [self.usage.pick(beat.asks, self.throw) for beat in (intent, access)]
        self.used += [first.text, second.text, *replies, *asks]  # as they are counted when asked apart
        both = Saying(f"{first.text} {second.text}", {}, {}, (" ".join(replies),))
        return Step("intent+access", (" ".join(asks),), (both,))

    def _rupture(self) -> Step:
        """A misstep with the protest that it earns: the first two protests have their own misstep."""
        beat = self.usage.pick_beat(self.grammar.sections["rupture"], self.throw)
        protest = self._fitting(beat.sayings)
        place = beat.sayings.index(protest)
        asks = beat.asks[place : place + 1] or beat.asks
        return Step("rupture", asks, (protest,))

    def _ending(self, act: str) -> Step:
        """A plan that fits, or a close written for high risk, so that nobody goes home with a number."""
        beats = []
        for beat in self.grammar.sections[act]:
            fitting = tuple(saying for saying in beat.sayings if saying.fits(self.plan.levels, self.asserted))
            if act == "close":
                fitting = tuple(saying for saying in fitting if "high" in saying.levels.get("risk", ()))
            if fitting:
                beats.append(Beat(beat.asks, fitting))
        if not beats:
            raise LookupError(f"{self.plan.category}, {act}: nothing fits {dict(self.plan.levels)}.")
        return _step(act, self.usage.pick_beat(beats, self.throw))

    def _is_plain(self, step: Step) -> bool:
        """True where a flourish would be out of place: at danger, and at the close that follows it."""
        return step.act in PLAIN_ACTS or (step.act == "close" and self.plan["risk"] == "high")

    def _fitting(self, sayings: Sequence[Saying]) -> Saying:
        levels = self.plan.levels
        fitting = [saying for saying in sayings if saying.fits(levels, self.asserted)]
        if not fitting:
            raise LookupError(f"{self.plan.category}: nothing fits {dict(levels)}.")
        return self.usage.pick_saying(fitting, self.throw)

    def _asked(self, step: Step) -> str:
        if not step.asks:
            return ""
        ask = self.usage.pick(step.asks, self.throw)
        self.therapist.bound.clear()
        self.used.append(ask)
        return self.therapist.tell(ask)

    def _exchange(self, step: Step, *, with_stance: bool) -> tuple[str, str]:
        saying = self._fitting(step.sayings)
        self.client.bound.clear()
        self.asserted.update(saying.asserts)
        reply = self.usage.pick(saying.replies, self.throw)
        self.used += [saying.text, reply]
        said, answered = self.client.tell(saying.text), self.therapist.tell(reply)
        if with_stance:
            stances = dict(self.shared.stance[self.plan["stance"]])
            voiced = self.usage.pick(list(stances), self.throw)
            met = stances[voiced]
            self.used.append(voiced)
            said = f"{said} {self.client.tell(voiced)}"
            answered = f"{self.therapist.tell(met)} {answered}"
        return said, answered

    def _voiced(self, text: str) -> str:
        text = tidy(same_meaning(text, self.throw))
        return spelled_out(text) if self.is_spelled_out else text


def stopped(text: str) -> str:
    """End a text with a mark, where its last sentence left it to the choice of words."""
    return text if text.endswith((".", "?", "!", '"')) else f"{text}."


def _step(act: str, beat: Beat) -> Step:
    return Step(act, beat.asks, beat.sayings)


def region_named(name: str) -> Mapping[str, str]:
    """The lines that a region turns to."""
    regions: Mapping[str, Mapping[str, str]] = yaml_of("regions.yaml")
    if name not in regions:
        raise ValueError(f"There is no region {name!r}; there are {', '.join(regions)}.")
    return regions[name]
