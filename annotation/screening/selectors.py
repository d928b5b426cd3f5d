"""Read tries: what was drawn, what was answered, how it stands."""

from dataclasses import dataclass

from annotation.models import Application, QuizAttempt
from annotation.screening.bank import Bank, parse_bank
from annotation.screening.policy import TRIES, Drawn, Result, draw, score


@dataclass(frozen=True)
class Standing:
    """Where an applicant is with the quiz."""

    attempts: tuple[QuizAttempt, ...]
    results: tuple[Result, ...]  # of the finished tries, in order

    @property
    def open_attempt(self) -> QuizAttempt | None:
        return next((one for one in self.attempts if one.finished_at is None), None)

    @property
    def tries_left(self) -> int:
        return TRIES - len(self.attempts)

    @property
    def has_passed(self) -> bool:
        return any(result.has_passed for result in self.results)


def bank_of(attempt: QuizAttempt) -> Bank:
    return parse_bank(attempt.bank.definition)


def drawn_for(attempt: QuizAttempt) -> tuple[Drawn, ...]:
    """Return the questions of the try, in its order."""
    return draw(bank_of(attempt), attempt.seed, attempt.application.campaign.scheme.key)


def answers_of(attempt: QuizAttempt) -> dict[str, str]:
    """Return the answer that stands for each question answered so far."""
    return dict(attempt.answers.order_by("number").values_list("question", "chosen"))


def result_of(attempt: QuizAttempt) -> Result:
    """Count the answers of a try against the key it was drawn with."""
    return score(bank_of(attempt), drawn_for(attempt), answers_of(attempt))


def standing_of(application: Application) -> Standing:
    """Return every try of an application with the results of the finished ones."""
    attempts = tuple(
        application.attempts.select_related("bank", "application__campaign__scheme").order_by("number")
    )
    return Standing(attempts, tuple(result_of(one) for one in attempts if one.finished_at is not None))
