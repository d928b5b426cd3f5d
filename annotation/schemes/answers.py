"""Which questions of a scheme apply to a sample, and whether the answers to them can be recorded."""

from __future__ import annotations

from collections.abc import Mapping

from annotation.schemes.definition import Condition, Dimension, Form, Scheme

Answer = str | list[str] | bool

_FLAG_WORDS = {"on": True, "true": True, "false": False, "": False}


class AnswerErrors(ValueError):  # noqa: N818 (it carries several)
    """Answers that cannot be recorded; `errors` maps each dimension's key to what to do about it.

    The text of the exception holds no answer, so that it can be logged.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(f"Answers refused: {len(errors)}.")
        self.errors = dict(errors)


def asked(
    scheme: Scheme, turns_present: frozenset[str], answers: Mapping[str, object]
) -> tuple[Dimension, ...]:
    """Return the dimensions that apply, in order, to a sample with turns by these speakers.

    `turns_present` holds "client", "assistant" or both; `answers` may be raw and unfinished. A condition
    on a dimension that is not asked itself is not met.
    """
    applicable: dict[str, Dimension] = {}
    for form in scheme.forms:
        if _has_turns(form, turns_present):
            for dimension in form.dimensions:
                if _is_met(dimension.shown_when, applicable, answers):
                    applicable[dimension.key] = dimension
    return tuple(applicable.values())


def validate_answers(
    scheme: Scheme, raw: Mapping[str, object], turns_present: frozenset[str]
) -> dict[str, Answer]:
    """Return the answers in canonical form, or raise AnswerErrors.

    Keys stand in the scheme's order and only for dimensions that apply. An applicable flag is always
    there (False when not ticked), and so is an applicable multi ([] when nothing is chosen, else in the
    order of the scale); an ordinal or nominal answer is left out when it is optional and not given.
    An answer to a dimension that does not apply is an error, unless it is empty.
    """
    known = {dimension.key for dimension in scheme.dimensions}
    errors = {key: "This scheme has no such question. Reload the page." for key in raw if key not in known}
    answers: dict[str, Answer] = {}
    unsettled: set[str] = set()
    applicable = {dimension.key for dimension in asked(scheme, turns_present, raw)}
    for form in scheme.forms:
        for dimension in form.dimensions:
            key, condition = dimension.key, dimension.shown_when
            if condition and condition.dimension in unsettled:
                unsettled.add(key)
                continue
            try:
                if key not in applicable:
                    _refuse_answer(scheme, form, dimension, raw.get(key), turns_present)
                    continue
                answer = _required_answer(dimension, raw.get(key))
                _refuse_repeat(scheme, dimension, answer, answers)
            except _RefusedError as refused:
                errors[key] = str(refused)
                unsettled.add(key)
                continue
            if answer is not None:
                answers[key] = answer
    if errors:
        raise AnswerErrors(errors)
    return answers


class _RefusedError(Exception):
    """One answer cannot be recorded; the text is shown to the clinician."""


def _has_turns(form: Form, turns_present: frozenset[str]) -> bool:
    return bool(turns_present) if form.asks_about == "conversation" else form.asks_about in turns_present


def _is_met(
    condition: Condition | None, applicable: Mapping[str, Dimension], answers: Mapping[str, object]
) -> bool:
    if condition is None:
        return True
    other = applicable.get(condition.dimension)
    if other is None:
        return False
    try:
        answer = _read(other, answers.get(other.key))
    except _RefusedError:
        return False
    if condition.is_set is not None:
        return answer is condition.is_set
    if condition.at_least:
        return answer in other.codes[other.codes.index(condition.at_least) :]
    return answer in condition.is_one_of


def _read(dimension: Dimension, value: object) -> Answer | None:
    """Return the canonical answer, None for an ordinal or nominal dimension left empty."""
    if dimension.scale == "flag":
        flag = _FLAG_WORDS.get(value) if isinstance(value, str) else value
        if value is not None and not isinstance(flag, bool):
            raise _RefusedError(f"{dimension.title}: tick it or leave it.")
        return flag is True
    if dimension.scale == "multi":
        if not isinstance(value, list | tuple | None):
            raise _RefusedError(f"{dimension.title}: give the choices as a list.")
        chosen = {_code(dimension, item) for item in value or ()}
        return [code for code in dimension.codes if code in chosen]
    return None if value is None or value == "" else _code(dimension, value)


def _code(dimension: Dimension, value: object) -> str:
    code = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(code, str) or code not in dimension.codes:
        raise _RefusedError(f"That is not one of the answers. {_prompt(dimension)}")
    return code


def _required_answer(dimension: Dimension, value: object) -> Answer | None:
    answer = _read(dimension, value)
    if dimension.is_required and (answer is None or answer == []):
        raise _RefusedError(_prompt(dimension))
    limit = dimension.max_choices
    if limit is not None and isinstance(answer, list) and len(answer) > limit:
        raise _RefusedError(f"{dimension.title}: choose no more than {limit}.")
    return answer


def _refuse_repeat(
    scheme: Scheme, dimension: Dimension, answer: Answer | None, answers: Mapping[str, Answer]
) -> None:
    if not dimension.excludes or not isinstance(answer, list):
        return
    other = scheme.dimension(dimension.excludes)
    for category in other.categories:
        if category.code == answers.get(other.key) and category.code in answer:
            raise _RefusedError(
                f"{dimension.title}: leave out “{category.label}”; it is already your {other.title.lower()}."
            )


def _refuse_answer(
    scheme: Scheme, form: Form, dimension: Dimension, value: object, turns_present: frozenset[str]
) -> None:
    """Raise _RefusedError when a dimension that does not apply was answered all the same."""
    try:
        if _read(dimension, value) in (None, False, []):
            return
    except _RefusedError:
        pass
    if not _has_turns(form, turns_present) or dimension.shown_when is None:
        speaker = {"client": "client's words", "assistant": "reply"}.get(form.asks_about, "conversation")
        raise _RefusedError(f"{dimension.title}: there is no {speaker} in this sample, so leave this empty.")
    reason = scheme.dimension(dimension.shown_when.dimension).title
    raise _RefusedError(
        f"{dimension.title}: this does not apply with your answer to “{reason}”. Clear one of the two."
    )


def _prompt(dimension: Dimension) -> str:
    return dimension.prompt or f"{dimension.title}: choose an answer."
