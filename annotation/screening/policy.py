"""How a try is drawn from the bank, how long it lasts, and when it is passed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.screening.bank import Bank, Question, Theme

QUIZ_MINUTES = 25
GRACE_SECONDS = 15  # an answer that was on its way when the time ended
TRIES = 2
DRAWN = {"definitions": 6, "safety": 6, "reliability": 3}
PASS_SHARE = 0.8
THEME_THAT_DECIDES = "safety"  # a good whole does not make up for missed danger
OWN_TO_SCHEME = "definitions"  # asked only where the campaign uses the scheme that the bank is about
PARTLY_SHARE = 0.5


@dataclass(frozen=True)
class Drawn:
    """A question of one try, its options in the order of that try."""

    question: Question
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ThemeResult:
    """How one theme went, in words: a count would help to work out the key."""

    theme: Theme
    standing: str


@dataclass(frozen=True)
class Result:
    correct: int
    asked: int
    has_passed: bool
    themes: tuple[ThemeResult, ...]


def draw(bank: Bank, seed: int, scheme: str) -> tuple[Drawn, ...]:
    """Return the questions of a try: the same for the same bank, seed and scheme, for ever."""
    counts = {theme: count for theme, count in DRAWN.items() if _is_asked(bank, theme, scheme)}
    chosen = [
        question
        for theme, count in counts.items()
        for question in _shuffled([one for one in bank.questions if one.theme == theme], seed)[:count]
    ]
    return tuple(
        Drawn(question, tuple((code, question.options[code]) for code in _options(question, seed)))
        for question in _shuffled(chosen, seed)
    )


def score(bank: Bank, drawn: Sequence[Drawn], given: Mapping[str, str]) -> Result:
    """Return how the answers stand against the key; what was not answered is not right."""
    shares: dict[str, float] = {}
    for theme in dict.fromkeys(one.question.theme for one in drawn):
        asked = [one.question for one in drawn if one.question.theme == theme]
        shares[theme] = sum(given.get(one.key) == one.answer for one in asked) / len(asked)
    correct = sum(given.get(one.question.key) == one.question.answer for one in drawn)
    has_passed = correct >= PASS_SHARE * len(drawn) and shares.get(THEME_THAT_DECIDES, 1) >= PASS_SHARE
    themes = tuple(ThemeResult(bank.themes[theme], _in_words(share)) for theme, share in shares.items())
    return Result(correct, len(drawn), has_passed, themes)


def _is_asked(bank: Bank, theme: str, scheme: str) -> bool:
    return theme != OWN_TO_SCHEME or bank.scheme == scheme


def _in_words(share: float) -> str:
    if share >= PASS_SHARE:
        return "secure"
    return "partly" if share >= PARTLY_SHARE else "to read again"


def _options(question: Question, seed: int) -> list[str]:
    """Levels stay in their order, other options are shuffled: where the right one stands says nothing."""
    if all(text[:1].isdigit() for text in question.options.values()):
        return list(question.options)
    return sorted(question.options, key=lambda code: _lot(seed, f"{question.key}:{code}"))


def _shuffled(questions: Sequence[Question], seed: int) -> list[Question]:
    return sorted(questions, key=lambda one: _lot(seed, one.key))


def _lot(seed: int, name: str) -> bytes:
    """Return a number that seed and name decide, on every machine and version alike."""
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()
