"""A scheme as a page: sections, questions and options, with what was answered and what is wrong. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from annotation.schemes.definition import Dimension, Form, Scheme

FIELD_PREFIX = "answer-"  # keeps the scheme's keys apart from the form's own fields


@dataclass(frozen=True)
class Option:
    code: str
    label: str
    anchor: str
    example: str
    is_chosen: bool


@dataclass(frozen=True)
class Question:
    """One dimension on the page. ``shown_when`` is for the script that hides what does not apply."""

    key: str
    field: str
    title: str
    scale: str
    help_text: str
    is_required: bool
    is_headline: bool
    max_choices: int | None
    options: tuple[Option, ...]
    is_ticked: bool
    error: str
    shown_when: dict[str, Any] | None

    @property
    def layout(self) -> str:
        """How the options stand: codes in columns, a headline scale as a list, a small scale in a row."""
        if self.scale != "ordinal":
            return "choice-list"
        return "scale" if self.is_headline else "scale scale-row"

    @property
    def kind(self) -> str:
        """The native control of one option."""
        return "checkbox" if self.scale == "multi" else "radio"


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    asks_about: str
    questions: tuple[Question, ...]


def sections(
    scheme: Scheme,
    present: frozenset[str],
    answers: Mapping[str, object] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[Section]:
    """Return what to ask about a sample with turns by these speakers.

    Conditional questions are all there: without a script the clinician sees them with their condition in
    words, and the server decides.
    """
    shown = [form for form in scheme.forms if _is_asked(form, present)]
    return [
        Section(
            form.key,
            form.title,
            form.asks_about,
            tuple(
                _question(
                    dimension, (answers or {}).get(dimension.key), (errors or {}).get(dimension.key, "")
                )
                for dimension in form.dimensions
            ),
        )
        for form in shown
    ]


def _is_asked(form: Form, present: frozenset[str]) -> bool:
    return bool(present) if form.asks_about == "conversation" else form.asks_about in present


def _question(dimension: Dimension, answer: object, error: str) -> Question:
    chosen = set(answer) if isinstance(answer, list | tuple) else {answer}
    condition = asdict(dimension.shown_when) if dimension.shown_when else None
    return Question(
        key=dimension.key,
        field=f"{FIELD_PREFIX}{dimension.key}",
        title=dimension.title,
        scale=dimension.scale,
        help_text=dimension.help_text,
        is_required=dimension.is_required,
        is_headline=dimension.is_headline,
        max_choices=dimension.max_choices,
        options=tuple(
            Option(category.code, category.label, category.anchor, category.example, category.code in chosen)
            for category in dimension.categories
        ),
        is_ticked=answer in (True, "on", "true"),
        error=error,
        shown_when=condition,
    )


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
