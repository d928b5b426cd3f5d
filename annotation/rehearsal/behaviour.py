"""What a simulated annotator does with a sample beside answering it: thinks, passes, slips, goes away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from annotation.rehearsal.chance import chance
from annotation.rehearsal.reading import Turn
from annotation.schemes.answers import Answer, AnswerErrors, asked, validate_answers
from annotation.schemes.definition import Dimension, Scheme

LAST_TEN = 10
NO_SUCH_CODE = "no_such_code"
NO_SUCH_QUESTION = "no_such_question"
NOTES = (
    "Two readings seem possible to me here.",
    "I wavered between two neighbouring levels.",
    "The last turn decided it for me.",
    "It would help to see what came before.",
    "I would like to discuss this one.",
    "The reply is hard to place under one method.",
    "See clause C6, I took the lower level.",
    "Irony, as I read it.",
)


@dataclass(frozen=True)
class Temperament:
    """How long an annotator takes, and the shares of samples on which something else happens.

    The median of the thinking time is `answer_seconds` plus `seconds_per_word` for each word of the sample;
    single times spread around it log-normally by `time_spread`, the standard deviation of the logarithm.
    `time_scale` multiplies them all: 0 is no waiting. Shares are between 0 and 1.
    """

    answer_seconds: float = 15.0
    seconds_per_word: float = 0.2
    time_spread: float = 0.45
    time_scale: float = 1.0
    pass_share: float = 0.01
    mistype_share: float = 0.03
    undo_share: float = 0.02
    vanish_share: float = 0.005
    flag_share: float = 0.02
    note_share: float = 0.02

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_share") and not 0 <= value <= 1:
                raise ValueError(f"{field.name} is {value}. Give a share between 0 and 1.")
            if not 0 <= value < math.inf:
                raise ValueError(f"{field.name} is {value}. Give a number that is 0 or more.")


@dataclass(frozen=True)
class Deed:
    """What happens on one visit to one sample.

    `vanishes`: leaves after thinking, without a word, and comes back when the lease has run out. `passes`:
    leaves it without a reason. Neither goes with anything below. `mistypes`: first sends `mistyped`
    answers, is refused and mends them. `undoes`: first saves `slipped` answers and changes them when
    `undo_after` (0 to 9) more samples are saved. `flags` and a `note` that is not empty go with the label.
    """

    think_seconds: float
    vanishes: bool = False
    passes: bool = False
    mistypes: bool = False
    undoes: bool = False
    undo_after: int = 0
    flags: bool = False
    note: str = ""


def decide(temperament: Temperament, *, name: str, seed: int, turns: Sequence[Turn], visit: int = 1) -> Deed:
    """Return what the annotator of that name does; the same arguments always give the same deed."""
    throws = chance("deed", seed, name, visit, *(text for _, text in turns))
    words = sum(len(text.split()) for _, text in turns)
    median = temperament.answer_seconds + temperament.seconds_per_word * words
    think_seconds = temperament.time_scale * median * math.exp(throws.gauss(0, temperament.time_spread))
    # Every throw is made whatever came of those before, so that changing one share changes nothing else.
    happens = {
        what: throws.random() < share
        for what, share in (
            ("vanishes", temperament.vanish_share),
            ("passes", temperament.pass_share),
            ("mistypes", temperament.mistype_share),
            ("undoes", temperament.undo_share),
            ("flags", temperament.flag_share),
            ("notes", temperament.note_share),
        )
    }
    undo_after, note = throws.randrange(LAST_TEN), throws.choice(NOTES)
    if happens["vanishes"] or happens["passes"]:
        return Deed(think_seconds, vanishes=happens["vanishes"], passes=not happens["vanishes"])
    return Deed(
        think_seconds,
        mistypes=happens["mistypes"],
        undoes=happens["undoes"],
        undo_after=undo_after if happens["undoes"] else 0,
        flags=happens["flags"],
        note=note if happens["notes"] else "",
    )


def mistyped(
    scheme: Scheme, answers: Mapping[str, Answer], present: frozenset[str], *, name: str, seed: int
) -> dict[str, Answer]:
    """Return answers that are refused: a required one left out, or a code that is not on the scale."""
    throws = chance("mistyped", seed, name, *answers.values())
    required = [d.key for d in asked(scheme, present, answers) if d.is_required and d.key in answers]
    if required and throws.random() < 0.5:
        left_out = throws.choice(required)
        return {key: answer for key, answer in answers.items() if key != left_out}
    scaled = [key for key, answer in answers.items() if isinstance(answer, str)]
    return {**answers, throws.choice(scaled) if scaled else NO_SUCH_QUESTION: NO_SUCH_CODE}


def slipped(
    scheme: Scheme, answers: Mapping[str, Answer], present: frozenset[str], *, name: str, seed: int
) -> dict[str, Answer] | None:
    """Return valid answers of which one is not what the clinician meant, or None where there are none."""
    throws = chance("slipped", seed, name, *answers.values())
    candidates = [
        {**answers, dimension.key: other}
        for dimension in asked(scheme, present, answers)
        for other in _others(dimension, answers.get(dimension.key))
    ]
    throws.shuffle(candidates)
    for candidate in candidates:
        try:
            return validate_answers(scheme, candidate, present)
        except AnswerErrors:
            continue
    return None


def _others(dimension: Dimension, answer: Answer | None) -> list[Answer]:
    """Return the answers that one wrong key would give."""
    if dimension.scale == "flag":
        return [answer is not True]
    if isinstance(answer, list):
        chosen = set(answer)
        return [[code for code in dimension.codes if code in chosen ^ {hit}] for hit in dimension.codes]
    return [code for code in dimension.codes if code != answer]
