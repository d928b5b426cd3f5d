"""Pages of the quiz, opened by the applicant's link."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.models import Application, ApplicationLink, QuizAttempt
from annotation.recruitment import spam
from annotation.recruitment.public_views import by_link, goes_on_as, is_open_here, token_of, too_many
from annotation.recruitment.stages import Stage
from annotation.screening import selectors, services
from annotation.screening.policy import DRAWN, QUIZ_MINUTES, TRIES


@require_safe
@by_link
def quiz(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Show what the quiz is, where it stands, and how finished tries went."""
    application = _own(request, link)
    standing = selectors.standing_of(application)
    unfinished = standing.open_attempt
    context = {
        "token": token_of(request),
        "campaign": application.campaign,
        "standing": standing,
        "attempt": unfinished,
        "is_over": unfinished is not None and services.is_over(unfinished),
        "answered": _answered(unfinished) if unfinished else [],
        "can_start": application.stage == Stage.SCREENING and standing.tries_left > 0,
        "tries": TRIES,
        "minutes": QUIZ_MINUTES,
        "question_count": sum(DRAWN.values()),
    }
    return render(request, "annotation/screening/quiz.html", context)


@require_POST
@by_link
def start_quiz(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Begin a try; in a second tab, go on with the one that is open."""
    own = _own(request, link)
    if not spam.is_within_limit(request, "quiz"):
        return too_many(request)
    try:
        attempt = services.start_attempt(own)
    except services.QuizRefusedError as refused:
        messages.error(request, str(refused))
        return redirect("annotation:quiz", token_of(request))
    if attempt.finished_at is not None:
        return redirect("annotation:quiz", token_of(request))
    return redirect("annotation:quiz_question", token_of(request), 1)


@require_http_methods(["GET", "HEAD", "POST"])
@by_link
def quiz_question(request: HttpRequest, link: ApplicationLink, number: int) -> HttpResponse:
    """Ask one question and keep its answer; going back shows what was answered."""
    attempt = selectors.standing_of(_own(request, link)).open_attempt
    if attempt is None or services.is_over(attempt):
        return redirect("annotation:quiz", token_of(request))
    drawn = selectors.drawn_for(attempt)
    if not 1 <= number <= len(drawn):
        raise Http404
    if request.method == "POST":
        return _answer(request, attempt, number)
    asked = drawn[number - 1]
    context = {
        "token": token_of(request),
        "attempt": attempt,
        "number": number,
        "count": len(drawn),
        "asked": asked,
        "chosen": selectors.answers_of(attempt).get(asked.question.key, ""),
        "seconds_left": max(0, int((attempt.ends_at - timezone.now()).total_seconds())),
    }
    return render(request, "annotation/screening/question.html", context)


@require_POST
@by_link
def finish_quiz(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Count the open try; pressed again, nothing changes."""
    attempt = selectors.standing_of(_own(request, link)).open_attempt
    if attempt is not None:
        services.finish_attempt(attempt)
    return redirect("annotation:quiz", token_of(request))


def _answer(request: HttpRequest, attempt: QuizAttempt, number: int) -> HttpResponse:
    """Keep the answer under the try and question that the page showed, not those that are open by now."""
    if not spam.is_within_limit(request, "quiz"):
        return too_many(request)
    drawn = selectors.drawn_for(attempt)
    asked, chosen = drawn[number - 1], request.POST.get("chosen", "")
    if request.POST.get("attempt") != str(attempt.pk):
        messages.error(request, "That answer belonged to a try that is over. It was not counted here.")
        return redirect("annotation:quiz", token_of(request))
    if chosen not in asked.question.options:
        messages.error(request, "Choose one of the answers, or go on without one.")
        return redirect("annotation:quiz_question", token_of(request), number)
    try:
        services.answer_question(attempt=attempt, question=asked.question.key, chosen=chosen)
    except services.TryOverError as over:
        messages.error(request, str(over))
        return redirect("annotation:quiz", token_of(request))
    if number == len(drawn):
        return redirect("annotation:quiz", token_of(request))
    return redirect("annotation:quiz_question", token_of(request), number + 1)


def _answered(attempt: QuizAttempt) -> list[tuple[int, bool]]:
    given = selectors.answers_of(attempt)
    return [
        (number, one.question.key in given)
        for number, one in enumerate(selectors.drawn_for(attempt), start=1)
    ]


def _own(request: HttpRequest, link: ApplicationLink) -> Application:
    """Return the application that goes on, if this browser has opened it; a link alone opens no quiz."""
    if not is_open_here(request, link.application):
        raise Http404
    return goes_on_as(link)
