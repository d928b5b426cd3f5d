"""A scheme in words, as a lead checks it before clinicians see it: sections, scales, conditions. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from annotation.schemes.definition import Category, Dimension, Form, Scheme

_JUDGED_FROM = {
    "client": "From the client's turns; not asked where there are none.",
    "assistant": "From the therapist's turns; not asked where there is no reply.",
    "conversation": "From the whole conversation.",
}


@dataclass(frozen=True)
class Question:
    """One dimension, how it is answered, and when it is asked (empty when always)."""

    dimension: Dimension
    scale: str
    condition: str


@dataclass(frozen=True)
class Section:
    """The questions that are answered together, and what they are judged from."""

    form: Form
    judged_from: str
    questions: tuple[Question, ...]


def sections_in_words(scheme: Scheme) -> list[Section]:
    """Return every section of the scheme in the order of the page."""
    return [
        Section(
            form,
            _JUDGED_FROM[form.asks_about],
            tuple(
                Question(dimension, scale_in_words(dimension), condition_in_words(scheme, dimension))
                for dimension in form.dimensions
            ),
        )
        for form in scheme.forms
    ]


def scale_in_words(dimension: Dimension) -> str:
    """Say how the question is answered."""
    if dimension.scale == "flag":
        return "A tick or none"
    if dimension.scale == "multi":
        limit = dimension.max_choices
        return f"Up to {limit} of {len(dimension.codes)}" if limit else f"Any of {len(dimension.codes)}"
    order = ", from low to high" if dimension.scale == "ordinal" else ""
    return f"One of {len(dimension.codes)}{order}"


def condition_in_words(scheme: Scheme, dimension: Dimension) -> str:
    """Say when the question is asked; empty when it always is."""
    condition = dimension.shown_when
    if condition is None:
        return ""
    other = scheme.dimension(condition.dimension)
    if condition.is_set is not None:
        return f"Asked {'when' if condition.is_set else 'unless'} “{other.title}” is ticked."
    names = {category.code: name_of(category) for category in other.categories}
    if condition.at_least:
        return f"Asked when “{other.title}” is {names[condition.at_least]} or higher."
    left_out = [name for code, name in names.items() if code not in condition.is_one_of]
    if len(left_out) == 1 and len(names) > 2:
        return f"Asked when “{other.title}” is answered with anything but {left_out[0]}."
    return f"Asked when “{other.title}” is {_either(names[code] for code in condition.is_one_of)}."


def name_of(category: Category) -> str:
    """Return the answer's name, with its code where the code is a number people say."""
    return f"{category.code} {category.label}" if category.code.isdigit() else category.label


def _either(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
