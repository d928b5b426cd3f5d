"""Write tries at the quiz: begin, answer, finish. The server keeps the time and the count of tries."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from annotation.models import Application, QuestionBankVersion, QuizAnswer, QuizAttempt
from annotation.recruitment.services import move
from annotation.recruitment.stages import Stage
from annotation.screening import selectors
from annotation.screening.bank import SHIPPED_VERSION, BankError, digest_of, parse_bank, shipped_bank
from annotation.screening.policy import GRACE_SECONDS, QUIZ_MINUTES, TRIES, Result, draw

SEED_BELOW = 2**32


class QuizRefusedError(Exception):
    """The quiz cannot go on like this; the message tells the applicant why."""


class NoTryLeftError(QuizRefusedError):
    """Every try was used."""


class TryOverError(QuizRefusedError):
    """The try was finished, or its time is over."""


def store_shipped_bank() -> QuestionBankVersion:
    """Store the shipped bank, or return the stored one. Raises BankError when the same version differs."""
    raw = shipped_bank()
    parse_bank(raw)
    stored: QuestionBankVersion
    stored, _ = QuestionBankVersion.objects.get_or_create(
        version=SHIPPED_VERSION, defaults={"definition": raw, "digest": digest_of(raw)}
    )
    if stored.digest != digest_of(raw):
        raise BankError(f"Version {SHIPPED_VERSION} of the question bank is stored with other content.")
    return stored


@transaction.atomic
def start_attempt(application: Application) -> QuizAttempt:
    """Begin a try, or return the one that is open: a second tab never costs one.

    Raises QuizRefusedError outside the stage, NoTryLeftError when both were used.
    """
    # NO KEY: events and answers refer to the row and must not wait.
    locked = (
        Application.objects.select_for_update(no_key=True, of=("self",))
        .select_related("campaign__scheme")
        .get(pk=application.pk)
    )
    if locked.stage != Stage.SCREENING:
        raise QuizRefusedError("The quiz is not open for this application now.")
    unfinished = locked.attempts.filter(finished_at__isnull=True).select_related("bank").first()
    if unfinished is not None and not is_over(unfinished):
        return unfinished
    if unfinished is not None and _finish(unfinished, locked).has_passed:
        return unfinished
    number = locked.attempts.count() + 1
    if number > TRIES:
        raise NoTryLeftError(f"All {TRIES} tries were used. The team looks at the application now.")
    bank, seed, now = store_shipped_bank(), secrets.randbelow(SEED_BELOW), timezone.now()
    return QuizAttempt.objects.create(
        application=locked,
        number=number,
        bank=bank,
        seed=seed,
        started_at=now,
        ends_at=now + timedelta(minutes=QUIZ_MINUTES),
        asked=len(draw(parse_bank(bank.definition), seed, locked.campaign.scheme.key)),
    )


@transaction.atomic
def answer_question(*, attempt: QuizAttempt, question: str, chosen: str) -> None:
    """Keep an answer; a later one to the same question takes its place, the same again adds nothing.

    Raises TryOverError.
    """
    locked = QuizAttempt.objects.select_for_update(no_key=True).get(pk=attempt.pk)
    if locked.finished_at is not None or is_over(locked):
        raise TryOverError("The time for this try is over. Answers given before that are kept.")
    if selectors.answers_of(locked).get(question) == chosen:
        return
    count = locked.answers.count()
    QuizAnswer.objects.create(attempt=locked, number=count + 1, question=question, chosen=chosen)


@transaction.atomic
def finish_attempt(attempt: QuizAttempt) -> Result:
    """Count the try, once; who passed moves on."""
    application = Application.objects.select_for_update(no_key=True, of=("self",)).get(
        pk=attempt.application_id
    )
    return _finish(attempt, application)


def finish_overdue_attempts() -> int:
    """Count the tries whose time ended while nobody looked; for the sweeper."""
    ended = timezone.now() - timedelta(seconds=GRACE_SECONDS)
    overdue = list(QuizAttempt.objects.filter(finished_at__isnull=True, ends_at__lt=ended))
    for attempt in overdue:
        finish_attempt(attempt)
    return len(overdue)


def is_over(attempt: QuizAttempt) -> bool:
    """Say whether the time of the try has ended, by the server's clock."""
    return timezone.now() > attempt.ends_at + timedelta(seconds=GRACE_SECONDS)


def _finish(attempt: QuizAttempt, application: Application) -> Result:
    locked = (
        QuizAttempt.objects.select_for_update(no_key=True, of=("self",))
        .select_related("bank", "application__campaign__scheme")
        .get(pk=attempt.pk)
    )
    result = selectors.result_of(locked)
    if locked.finished_at is not None:
        return result
    locked.finished_at = timezone.now()
    locked.correct, locked.has_passed = result.correct, result.has_passed
    locked.save(update_fields=["finished_at", "correct", "has_passed"])
    attempt.finished_at, attempt.has_passed = locked.finished_at, locked.has_passed
    if result.has_passed and application.stage == Stage.SCREENING:
        why = f"Passed the screening quiz at try {locked.number}: {result.correct} of {result.asked}."
        move(application, Stage.CALIBRATION, None, why)
    return result
