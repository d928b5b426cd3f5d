"""What "severe" and "act now" mean, everywhere: a crisis intensity of 3 or more, and of 4 or more."""

from collections.abc import Mapping

from annotation.schemes.definition import Scheme

CRISIS = "crisis_intensity"
SEVERE_FROM = 3.0
ACT_NOW_FROM = 4.0


def crisis_level(scheme: Scheme, answers: Mapping[str, object]) -> float | None:
    """Return the crisis intensity of a label; None where the scheme does not ask or nothing was rated."""
    given = answers.get(CRISIS)
    for dimension in scheme.dimensions:
        if dimension.key == CRISIS:
            return next((each.value for each in dimension.categories if each.code == given), None)
    return None


def severe_codes(scheme: Scheme) -> list[str]:
    """Return the answers that say "severe"; none where the scheme does not ask for crisis intensity."""
    return [
        category.code
        for dimension in scheme.dimensions
        for category in dimension.categories
        if dimension.key == CRISIS and category.value is not None and category.value >= SEVERE_FROM
    ]
