"""A simulated clinician: answers any scheme from the displayed words alone, with the slips of a person."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.rehearsal.chance import chance, number_of
from annotation.rehearsal.faults import DRIFT_BEGINS_AT, LAZY_SHARE, Fault, FaultKind, lazy_answer
from annotation.rehearsal.reading import Turn, impression, words_of
from annotation.schemes.answers import Answer, asked
from annotation.schemes.definition import Dimension, Scheme

FLAG_RAISED_SHARE = 0.1
"""How many of the slips on an unticked flag tick it: a tick is forgotten more often than it is invented."""
WITHIN_GROUP_SHARE = 2 / 3
"""How many of the slips on a grouped code stay within its group."""
UNKNOWN_FLAG_ONE_IN, UNKNOWN_OPTIONAL_ONE_IN = 10, 4
"""Where no words are known for a question: how rarely a flag is ticked, and an optional one left open."""


@dataclass(frozen=True)
class SimulatedClinician:
    """One who reads as `skill` and `bias` say; two of the same name and seed answer alike.

    `skill` (0 to 1) is the share of questions answered just as the words deserve; the other answers go to a
    neighbouring level or a related code. Half of these slips are habits that come back whenever the same
    text is read, so that clinicians agree with themselves more than with a colleague. `bias` (-1 to 1) is
    the share of ordinal answers that are moved one level up, or down when it is below 0, on top of that.
    `faults` are planted on top of all.
    """

    name: str
    seed: int
    skill: float = 0.9
    bias: float = 0.0
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.skill <= 1:
            raise ValueError(f"The skill of {self.name} is {self.skill}. Give a share between 0 and 1.")
        if not -1 <= self.bias <= 1:
            raise ValueError(f"The bias of {self.name} is {self.bias}. Give a share between -1 and 1.")

    def read(
        self,
        scheme: Scheme,
        turns: Sequence[Turn],
        present: frozenset[str],
        visit: int = 1,
        progress: float = 0.0,
    ) -> dict[str, Answer]:
        """Return answers that can be recorded, in the scheme's order, for turns of (role, content).

        `present` holds the speakers of the sample, "client", "assistant" or both; `visit` counts from 1 how
        often this clinician meets the text, `progress` is the share of their samples that they have done.
        There is one scheme that has no valid answer: a required multi with no other code than the answer
        that it excludes.
        """
        seen = {} if (is_skimmed := self.skims(turns, visit)) else impression(turns)
        text = words_of(turns, "conversation").text
        bias = self._bias_at(progress)
        answers: dict[str, Answer] = {}
        for form in scheme.forms:
            subject = words_of(turns, form.asks_about).text
            for dimension in form.dimensions:
                if dimension not in asked(scheme, present, answers):
                    continue
                answer = lazy_answer(dimension) if is_skimmed else _deserved(dimension, seen, subject)
                if answer is None:
                    continue
                if not is_skimmed:
                    answer = self._erred(scheme, dimension, answer, text, visit, bias)
                answers[dimension.key] = _within_rules(dimension, answer, answers, subject)
        return answers

    def skims(self, turns: Sequence[Turn], visit: int = 1) -> bool:
        """Whether a lazy one answers this sample without reading it."""
        is_lazy = any(fault.kind is FaultKind.LAZY for fault in self.faults)
        text = words_of(turns, "conversation").text
        return is_lazy and chance("lazy", self.seed, self.name, text, visit).random() < LAZY_SHARE

    def _bias_at(self, progress: float) -> float:
        kinds = {fault.kind for fault in self.faults}
        has_drifted = FaultKind.DRIFTING in kinds and progress >= DRIFT_BEGINS_AT
        return 1.0 if has_drifted or FaultKind.BIASED in kinds else self.bias

    def _erred(
        self, scheme: Scheme, dimension: Dimension, answer: Answer, text: str, visit: int, bias: float
    ) -> Answer:
        habit = chance(self.seed, self.name, text, dimension.key)
        lapse = chance(self.seed, self.name, text, dimension.key, visit)
        answer = self._slip(scheme, dimension, answer, habit)
        if dimension.scale == "ordinal" and habit.random() < abs(bias):
            answer = _moved(dimension, str(answer), 1 if bias > 0 else -1)
        answer = self._slip(scheme, dimension, answer, lapse)
        for fault in self.faults:
            if fault.is_of(dimension, answer):
                is_other = fault.kind is FaultKind.SWAPPED or lapse.random() < 0.5
                answer = next(code for code in fault.codes if (code != answer) == is_other)
        return answer

    def _slip(self, scheme: Scheme, dimension: Dimension, answer: Answer, throws: random.Random) -> Answer:
        # Two chances to slip, a habit and a lapse, leave the share `skill` of the answers as deserved.
        if throws.random() < math.sqrt(self.skill):
            return answer
        if isinstance(answer, bool):
            return not answer and throws.random() < FLAG_RAISED_SHARE
        if isinstance(answer, list):
            return list({*answer} ^ {throws.choice(dimension.codes)})
        if dimension.scale == "ordinal":
            step = throws.choice((-1, 1))
            moved = _moved(dimension, answer, step)
            return moved if moved != answer else _moved(dimension, answer, -step)
        return throws.choice(_related(scheme, dimension, answer, throws.random() < WITHIN_GROUP_SHARE))


def _deserved(dimension: Dimension, seen: Mapping[str, Answer], subject: str) -> Answer | None:
    """Return the answer that the words deserve; where none are known, one that the text as such decides."""
    known = seen.get(dimension.key)
    if known is not None and _fits(dimension, known):
        return known
    number = number_of(dimension.key, subject)
    if dimension.scale == "flag":
        return number % UNKNOWN_FLAG_ONE_IN == 0
    choice = dimension.codes[number % len(dimension.codes)]
    is_left_open = not dimension.is_required and number // len(dimension.codes) % UNKNOWN_OPTIONAL_ONE_IN == 0
    if dimension.scale == "multi":
        return [] if is_left_open else [choice]
    return None if is_left_open else choice


def _fits(dimension: Dimension, answer: Answer) -> bool:
    if dimension.scale == "flag":
        return isinstance(answer, bool)
    if dimension.scale == "multi":
        return isinstance(answer, list) and set(answer) <= set(dimension.codes)
    return answer in dimension.codes


def _moved(dimension: Dimension, code: str, step: int) -> str:
    """Return the code that many levels higher, or the code itself at the end of the scale."""
    level = dimension.codes.index(code) + step
    return dimension.codes[level] if 0 <= level < len(dimension.codes) else code


def _related(scheme: Scheme, dimension: Dimension, code: str, is_within_group: bool) -> list[str]:
    """Return the codes that this one is mistaken for: those of its group, else all the others."""
    others = [each for each in dimension.codes if each != code]
    for grouping in scheme.groupings:
        if grouping.dimension == dimension.key and is_within_group:
            group = grouping.members[code]
            return [each for each in others if grouping.members[each] == group] or others
    return others


def _within_rules(
    dimension: Dimension, answer: Answer, answers: Mapping[str, Answer], subject: str
) -> Answer:
    """Return the answer as the scheme's rules let it stand; only a multi has any that a slip could break."""
    if not isinstance(answer, list):
        return answer
    excluded = answers.get(dimension.excludes)
    free = [code for code in dimension.codes if code != excluded]
    chosen = [code for code in free if code in answer][: dimension.max_choices]
    if chosen or not dimension.is_required:
        return chosen
    return [free[number_of(subject, dimension.key) % len(free)]] if free else []
