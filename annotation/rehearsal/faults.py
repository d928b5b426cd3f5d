"""Faults planted into simulated clinicians: a rehearsal shows whether the lead's figures find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from annotation.schemes.answers import Answer
from annotation.schemes.definition import Dimension, Scheme

LAZY_SHARE = 0.4
LAZY_SECONDS = 1.0
"""For a text that nobody reads in less than five."""
DRIFT_BEGINS_AT = 0.5


class FaultKind(StrEnum):
    """What is wrong; the values are those of the command line."""

    BIASED = "biased"
    LAZY = "lazy"
    DRIFTING = "drifting"
    SWAPPED = "swapped"
    MERGED = "merged"


FORMS = {
    FaultKind.BIASED: "biased:CLINICIAN",
    FaultKind.LAZY: "lazy:CLINICIAN",
    FaultKind.DRIFTING: "drifting:CLINICIAN",
    FaultKind.SWAPPED: "swapped:CLINICIAN:QUESTION:CODE:CODE",
    FaultKind.MERGED: "merged:QUESTION:CODE:CODE",
}


class FaultError(ValueError):
    """No such fault can be planted; the text says why and what can."""


@dataclass(frozen=True)
class Fault:
    """One planted fault. `clinician` counts from 1, None is everybody; `codes` are two of the `question`.

    Biased: one level higher on every ordinal question. Drifting: the same from half of the samples on.
    Lazy: a large share of the samples get the first answer of every required question, too fast to be read.
    Swapped: two codes used the wrong way round. Merged: nobody tells two codes apart, a coin decides.
    """

    kind: FaultKind
    clinician: int | None = None
    question: str = ""
    codes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [str(self.kind), str(self.clinician or ""), self.question, *self.codes]
        return ":".join(part for part in parts if part)

    def befalls(self, clinician: int) -> bool:
        """Whether this clinician has it."""
        return self.clinician in (None, clinician)

    def is_of(self, dimension: Dimension, answer: Answer) -> bool:
        """Whether it changes this answer: one of its two codes."""
        return dimension.key == self.question and answer in self.codes


def parse_fault(words: str, *, annotators: int, scheme: Scheme) -> Fault:
    """Return the fault that words such as `biased:1` name; raise FaultError where there is none such."""
    name, *rest = words.split(":")
    if name not in FORMS:
        raise FaultError(f"--fault {words}: there is no fault “{name}”. Give {', '.join(FORMS.values())}.")
    form = FORMS[FaultKind(name)]
    if len(rest) != form.count(":"):
        raise FaultError(f"--fault {words}: give it as {form}.")
    clinician = None
    if form.split(":")[1] == "CLINICIAN":
        clinician = _clinician(words, rest.pop(0), annotators)
    if not rest:
        return Fault(FaultKind(name), clinician)
    question, *codes = rest
    _check_codes(words, scheme, question, codes)
    return Fault(FaultKind(name), clinician, question, tuple(codes))


def lazy_answer(dimension: Dimension) -> Answer | None:
    """Return what costs no thought: the first code; None where nothing needs to be answered."""
    if dimension.scale == "flag":
        return False
    if dimension.scale == "multi":
        return [dimension.codes[0]] if dimension.is_required else []
    return dimension.codes[0] if dimension.is_required else None


def _clinician(words: str, number: str, annotators: int) -> int:
    if number.isascii() and number.isdecimal() and 1 <= int(number) <= annotators:
        return int(number)
    raise FaultError(
        f"--fault {words}: there is no clinician “{number}”. Give a number from 1 to {annotators}."
    )


def _check_codes(words: str, scheme: Scheme, question: str, codes: Sequence[str]) -> None:
    known = {each.key: each.codes for each in scheme.dimensions if each.scale in ("ordinal", "nominal")}
    if question not in known:
        raise FaultError(
            f"--fault {words}: there is no question “{question}”. Give one of {', '.join(known)}."
        )
    if len({*codes} & {*known[question]}) != 2:
        raise FaultError(
            f"--fault {words}: give two different codes of {question}: {', '.join(known[question])}."
        )
