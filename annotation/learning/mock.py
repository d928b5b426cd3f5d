"""Hold answers against those of a made-up sample's writer, with the reason for each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.labelling.presenter import answers_in_words
from annotation.learning.content import MockSample
from annotation.schemes.answers import validate_answers
from annotation.schemes.definition import Scheme


@dataclass(frozen=True)
class Compared:
    """One question: what was answered, what its writer would answer, and why."""

    title: str
    given: str
    expected: str
    because: str

    @property
    def is_same(self) -> bool:
        return self.given == self.expected


def compared(scheme: Scheme, sample: MockSample, answers: Mapping[str, object]) -> list[Compared]:
    """Return the explained questions in the scheme's order. Raises AnswerErrors as saving a label would."""
    given = validate_answers(scheme, answers, sample.present)
    mine, theirs = (dict(answers_in_words(scheme, one)) for one in (given, sample.answers))
    return [
        Compared(
            title=dimension.title,
            given=mine.get(dimension.title, "nothing"),
            expected=theirs.get(dimension.title, "nothing"),
            because=sample.because[dimension.key],
        )
        for dimension in scheme.dimensions
        if dimension.key in sample.because
    ]
