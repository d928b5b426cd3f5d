"""A scheme as a page: sections, questions and options, with what was answered and what is wrong. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from annotation.schemes.definition import Dimension, Form, Scheme

FIELD_PREFIX = "answer-"  # keeps the scheme's keys apart from the form's own fields
ROW_LIMIT_CHARACTERS = 56  # an ordered scale whose labels are longer together stands as a list
SMALL_LIMIT_OPTIONS = 3  # several scales this small stand side by side
WRAP_LIMIT_OPTIONS = 7  # more codes than this stand in columns
DIGITS = "1234567890"
LETTERS = "abcdehilmpqtvwxyz"  # those that no command of the page uses

Layout = Literal["small", "row", "list", "wrap", "codes", "flag"]


@dataclass(frozen=True)
class Option:
    """One answer. ``shortcut`` is the key that gives it while its question is the active one."""

    code: str
    label: str
    anchor: str
    example: str
    shortcut: str
    is_chosen: bool


@dataclass(frozen=True)
class Question:
    """One dimension on the page. ``shown_when`` is for the script that hides what does not apply."""

    key: str
    field: str
    title: str
    scale: str
    help_text: str
    prompt: str
    is_required: bool
    is_headline: bool
    max_choices: int | None
    excludes: str
    options: tuple[Option, ...]
    is_ticked: bool
    error: str
    shown_when: dict[str, Any] | None

    @property
    def kind(self) -> str:
        """The native control of one option."""
        return "checkbox" if self.scale in ("multi", "flag") else "radio"

    @property
    def layout(self) -> Layout:
        """How the options stand: a scale in a row or a list, a few codes side by side, many in columns."""
        if self.scale == "flag":
            return "flag"
        if self.scale == "ordinal":
            if sum(len(option.label) for option in self.options) > ROW_LIMIT_CHARACTERS:
                return "list"
            return "small" if len(self.options) <= SMALL_LIMIT_OPTIONS else "row"
        return "wrap" if len(self.options) <= WRAP_LIMIT_OPTIONS else "codes"

    @property
    def shows_codes(self) -> bool:
        """Whether the codes are numbers, which then stand on the page beside the labels."""
        return all(option.code.isdecimal() for option in self.options)

    @property
    def is_folded(self) -> bool:
        """Whether the options stay folded: many of them, seldom wanted, none chosen and nothing wrong."""
        has_answer = any(option.is_chosen for option in self.options)
        return self.layout == "codes" and not (self.is_required or has_answer or self.error)


@dataclass(frozen=True)
class Section:
    """One form of the scheme; ``is_asked`` says whether the sample has the turns it asks about."""

    key: str
    title: str
    asks_about: str
    is_asked: bool
    questions: tuple[Question, ...]


def sections(
    scheme: Scheme,
    present: frozenset[str],
    answers: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[Section]:
    """Return everything that the scheme can ask, and what of it applies to turns by these speakers.

    Sections that do not apply are there as well, so that the page can go on to the next sample by itself.
    Conditional questions are all there: without a script the clinician sees them with their condition in
    words, and the server decides.
    """
    given, wrong = answers or {}, errors or {}
    return [
        Section(
            key=form.key,
            title=form.title,
            asks_about=form.asks_about,
            is_asked=_is_asked(form, present),
            questions=tuple(
                _question(dimension, given.get(dimension.key), wrong.get(dimension.key, ""))
                for dimension in form.dimensions
            ),
        )
        for form in scheme.forms
    ]


def _is_asked(form: Form, present: frozenset[str]) -> bool:
    return bool(present) if form.asks_about == "conversation" else form.asks_about in present


def _question(dimension: Dimension, answer: object, error: str) -> Question:
    chosen = set(answer) if isinstance(answer, list | tuple) else {answer}
    condition = asdict(dimension.shown_when) if dimension.shown_when else None
    keys = _shortcuts(dimension.codes)
    return Question(
        key=dimension.key,
        field=f"{FIELD_PREFIX}{dimension.key}",
        title=dimension.title,
        scale=dimension.scale,
        help_text=dimension.help_text,
        prompt=dimension.prompt or f"{dimension.title}: choose an answer.",
        is_required=dimension.is_required,
        is_headline=dimension.is_headline,
        max_choices=dimension.max_choices,
        excludes=dimension.excludes,
        options=tuple(
            Option(
                code=category.code,
                label=category.label,
                anchor=category.anchor,
                example=category.example,
                shortcut=key,
                is_chosen=category.code in chosen,
            )
            for category, key in zip(dimension.categories, keys, strict=True)
        ),
        is_ticked=answer in (True, "on", "true"),
        error=error,
        shown_when=condition,
    )


def _shortcuts(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key of each option: a one-digit number itself, else by place; "" when the keys run out."""
    are_numbers = all(code.isdecimal() for code in codes)
    keys = iter(LETTERS if are_numbers else DIGITS + LETTERS)
    return tuple(code if are_numbers and len(code) == 1 else next(keys, "") for code in codes)


def time_left(seconds: int | None) -> str:
    """Return how long the rest takes, in words and no more exact than it is known; None is not known yet."""
    if seconds is None:
        return "too early to say"
    if seconds < 5 * 60:
        return "a few minutes at your pace"
    return f"about {_duration(_rounded(seconds))} at your pace"


def worked(seconds: int) -> str:
    """Return the active time of a day in words, to the minute; what is less than one is not nothing."""
    if 0 < seconds < 60:
        return "under a minute"
    return _duration(seconds // 60)


def _rounded(seconds: int) -> int:
    """Return minutes: in steps of five under an hour, of ten under ten hours, else whole hours."""
    minutes = seconds / 60
    step = 5 if minutes < 57.5 else 10 if minutes < 595 else 60
    return round(minutes / step) * step


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02}" if rest else f"{hours} h"


def answers_in_words(scheme: Scheme, answers: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return (question, answer) pairs in the scheme's order, for lists and for reading back."""
    return [
        (dimension.title, _in_words(dimension, answers[dimension.key]))
        for dimension in scheme.dimensions
        if answers.get(dimension.key) not in (None, [], False)
    ]


def _in_words(dimension: Dimension, answer: object) -> str:
    labels = {category.code: _named(category.code, category.label) for category in dimension.categories}
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list):
        return ", ".join(labels.get(code, str(code)) for code in answer)
    return labels.get(str(answer), str(answer))


def _named(code: str, label: str) -> str:
    return f"{code} {label}".strip() if code.isdigit() else label
