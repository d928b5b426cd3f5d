"""Pages of the training: the modules, their questions, and the mock session."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from annotation import permissions
from annotation.guidelines.rendering import rendered
from annotation.labelling import presenter
from annotation.labelling.forms import posted_answers
from annotation.learning import mock, services
from annotation.learning.content import MockSample, Module, mock_samples, modules
from annotation.learning.forms import QuestionsForm
from annotation.learning.selectors import progress_of
from annotation.schemes.answers import AnswerErrors
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import default_scheme


@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """List the modules and how far the person has come."""
    learner = permissions.person(request, *permissions.LEARNERS)
    progress = progress_of(learner)
    context = {
        "progress": progress,
        "done": sum(one.completed_at is not None for one in progress),
        "mock_samples": mock_samples(),
    }
    return render(request, "annotation/learning/training.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def module(request: HttpRequest, key: str) -> HttpResponse:
    """Show a module; a POST marks its questions and explains each answer."""
    learner = permissions.person(request, *permissions.LEARNERS)
    shown = _module(key)
    form = QuestionsForm(shown, request.POST or None)
    marked = []
    if request.method == "POST" and form.is_valid():
        marked = services.answer_module(learner=learner, module=shown, chosen=form.chosen())
    context = {
        "module": shown,
        "body": rendered(shown.body),
        "form": form,
        "marked": marked,
        "is_passed": bool(marked) and all(one.is_right for one in marked),
        "following": next((one.module for one in progress_of(learner) if not one.completed_at), None),
    }
    return render(request, "annotation/learning/module.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def mock_sample(request: HttpRequest, number: int) -> HttpResponse:
    """Show a made-up sample with the real questions; a POST explains the answers and stores nothing."""
    permissions.person(request, *permissions.LEARNERS)
    sample, scheme = _mock_sample(number), parse_scheme(default_scheme())
    answers = posted_answers(scheme, request.POST)
    errors: dict[str, str] = {}
    compared = []
    if request.method == "POST":
        try:
            compared = mock.compared(scheme, sample, answers)
        except AnswerErrors as wrong:
            errors = wrong.errors
    context = {
        "sample": sample,
        "turns": sample.turns,
        "sections": presenter.sections(scheme, sample.present, answers, errors),
        "problem": "Some answers are missing or do not fit together." if errors else "",
        "compared": compared,
        "count": len(mock_samples()),
        "is_last": number == len(mock_samples()),
    }
    return render(request, "annotation/learning/mock_sample.html", context, status=422 if errors else 200)


def _module(key: str) -> Module:
    for one in modules():
        if one.key == key:
            return one
    raise Http404


def _mock_sample(number: int) -> MockSample:
    if not 1 <= number <= len(mock_samples()):
        raise Http404
    return mock_samples()[number - 1]
