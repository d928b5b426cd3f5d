"""The mock session: made-up samples with the real questions, explained at once and never stored."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.labelling.presenter import FIELD_PREFIX
from annotation.learning import mock
from annotation.learning.content import MockSample, mock_samples
from annotation.models import Assignment, Draft, Label
from annotation.schemes.answers import validate_answers
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import default_scheme
from prometheus_site.accounts.models import User

ClientFor = Callable[[User], Client]


def words_of(answer: Any) -> str:
    """Return the page with its characters as they are read."""
    return html.unescape(answer.content.decode())


SCHEME = parse_scheme(default_scheme())
TITLES = [sample.title for sample in mock_samples()]


def posted(sample: MockSample, **changes: str) -> dict[str, object]:
    answers = {f"{FIELD_PREFIX}{key}": value for key, value in sample.answers.items()}
    return answers | {f"{FIELD_PREFIX}{key}": value for key, value in changes.items()}


@pytest.mark.parametrize("sample", mock_samples(), ids=TITLES)
def test_its_writers_answers_are_whole_and_every_headline_is_explained(sample: MockSample) -> None:
    answers = validate_answers(SCHEME, sample.answers, sample.present)
    assert {key: answers[key] for key in sample.answers} == sample.answers
    headlines = {one.key for one in SCHEME.dimensions if one.is_headline}
    assert headlines <= sample.because.keys()
    assert sample.because.keys() <= sample.answers.keys()
    assert all(one.is_same for one in mock.compared(SCHEME, sample, sample.answers))


@pytest.mark.parametrize("sample", mock_samples(), ids=TITLES)
def test_answers_are_explained_at_once(sample: MockSample, annotator: User, client_for: ClientFor) -> None:
    address = reverse("annotation:mock_sample", args=[sample.number])
    client = client_for(annotator)
    before = words_of(client.get(address))
    assert sample.turns[0].text in before
    assert "Its writer" not in before
    after = client.post(address, posted(sample, empathy_global="2"))
    assert after.status_code == 200
    page = words_of(after)
    for reason in sample.because.values():
        assert reason in page


def test_nothing_is_stored(annotator: User, client_for: ClientFor) -> None:
    address = reverse("annotation:mock_sample", args=[1])
    client_for(annotator).post(address, posted(mock_samples()[0]))
    assert not any(model.objects.exists() for model in (Label, Draft, Assignment))


def test_a_missing_answer_is_asked_for(annotator: User, client_for: ClientFor) -> None:
    answer = client_for(annotator).post(reverse("annotation:mock_sample", args=[1]), {})
    assert answer.status_code == 422
    assert "Choose a crisis intensity" in answer.content.decode()


@pytest.mark.parametrize("number", [0, 99])
def test_there_is_no_other_sample(annotator: User, client_for: ClientFor, number: int) -> None:
    assert client_for(annotator).get(reverse("annotation:mock_sample", args=[number])).status_code == 404
