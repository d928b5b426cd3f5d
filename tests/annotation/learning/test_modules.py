"""The training's modules: good texts, questions that are explained, and completion that is kept."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.learning.content import ORDER, Module, modules
from annotation.learning.selectors import modules_to_do, progress_of
from annotation.learning.services import answer_module
from annotation.models import ModuleAttempt
from prometheus_site.accounts.models import User

ClientFor = Callable[[User], Client]


def words_of(answer: Any) -> str:
    """Return the page with its characters as they are read."""
    return html.unescape(answer.content.decode())


def posted(module: Module, *, wrong: int = 0) -> dict[str, str]:
    """Return answers of which the first so many are wrong."""
    return {
        f"question-{number}": str((one.right + (number <= wrong)) % len(one.choices))
        for number, one in enumerate(module.questions, start=1)
    }


@pytest.mark.parametrize("module", modules(), ids=ORDER)
def test_a_module_is_read_in_a_sitting_and_has_questions_with_reasons(module: Module) -> None:
    assert 500 <= len(module.body.split()) <= 900
    assert len(module.questions) >= 4
    for question in module.questions:
        assert 0 <= question.right < len(question.choices)
        assert len(set(question.choices)) == len(question.choices) >= 2
        assert len(question.because.split()) >= 8


def test_the_right_answer_has_no_place_of_its_own() -> None:
    places = [question.right for module in modules() for question in module.questions]
    assert len(set(places)) > 2
    assert max(places.count(place) for place in set(places)) < 0.7 * len(places)


@pytest.mark.parametrize("module", modules(), ids=ORDER)
def test_its_page_shows_the_text_and_no_key(module: Module, annotator: User, client_for: ClientFor) -> None:
    page = words_of(client_for(annotator).get(reverse("annotation:training_module", args=[module.key])))
    assert module.questions[0].asks in page
    for question in module.questions:
        assert question.because not in page
    assert not ModuleAttempt.objects.exists()


def test_all_right_completes_it(annotator: User, client_for: ClientFor) -> None:
    module = modules()[0]
    address = reverse("annotation:training_module", args=[module.key])
    page = client_for(annotator).post(address, posted(module)).content.decode()
    assert "this module is completed" in page
    assert module not in modules_to_do(annotator)
    assert ModuleAttempt.objects.get().sha256 == module.sha256


def test_one_wrong_answer_is_explained_and_does_not_complete_it(
    annotator: User, client_for: ClientFor
) -> None:
    module = modules()[0]
    address = reverse("annotation:training_module", args=[module.key])
    client = client_for(annotator)
    page = words_of(client.post(address, posted(module, wrong=1)))
    assert "Not all right yet" in page
    assert module.questions[0].because in page
    assert module in modules_to_do(annotator)
    client.post(address, posted(module))
    assert module not in modules_to_do(annotator)


def test_a_later_failure_takes_nothing_back(annotator: User) -> None:
    """Two tabs, or the back button: what is completed stays completed."""
    module = modules()[0]
    right = [one.right for one in module.questions]
    answer_module(learner=annotator, module=module, chosen=right)
    answer_module(learner=annotator, module=module, chosen=[right[0] + 1, *right[1:]])
    assert module not in modules_to_do(annotator)


@pytest.mark.parametrize("bad", [{"question-1": ""}, {"question-1": "99"}, {"question-1": "x"}])
def test_an_answer_that_is_none_is_asked_for_again(
    annotator: User, client_for: ClientFor, bad: dict[str, str]
) -> None:
    module = modules()[0]
    address = reverse("annotation:training_module", args=[module.key])
    assert client_for(annotator).post(address, posted(module) | bad).status_code == 422
    assert not ModuleAttempt.objects.exists()


def test_progress_is_the_persons_own(annotator: User, second_annotator: User) -> None:
    module = modules()[0]
    answer_module(learner=annotator, module=module, chosen=[one.right for one in module.questions])
    assert [one.completed_at is not None for one in progress_of(annotator)] == [True, *[False] * 5]
    assert all(one.completed_at is None for one in progress_of(second_annotator))


def test_an_unknown_module_is_not_found(annotator: User, client_for: ClientFor) -> None:
    assert client_for(annotator).get(reverse("annotation:training_module", args=["none"])).status_code == 404
