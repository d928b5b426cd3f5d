"""Flag: a clinician says that a sample itself is wrong; the words are sealed, the sample stays to be done."""

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.labelling.services import KeyReusedError, clinician_scope
from annotation.labelling.unlabelled import flag_sample
from annotation.models import Assignment, AssignmentState, Campaign, FlagKind, SampleFlag
from prometheus_site.accounts.models import User
from prometheus_site.core.sealing import open_text
from tests.annotation.planned import give
from tests.annotation.worlds import make_campaign

ClientFor = Callable[[User], Client]
WORDS = "the second turn names a street"


def url(campaign: Campaign, assignment: Assignment) -> str:
    return reverse("annotation:flag_sample", args=[campaign.slug, assignment.pk])


def posted(**changes: object) -> dict[str, object]:
    return {"key": str(uuid.uuid4()), "kind": "names_somebody", "words": WORDS} | changes


def test_asks_what_is_wrong(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    page = client_for(annotator).get(url(campaign, assignment)).content.decode()
    assert f"sample {assignment.sample.number}" in page
    for kind in FlagKind:
        assert f'value="{kind}"' in page
    assert "what was said" not in page  # the sample's text is not needed here


def test_works(campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor) -> None:
    response = client_for(annotator).post(url(campaign, assignment), posted())
    assert response.status_code == 302
    flag = SampleFlag.objects.get()
    assert (flag.assignment, flag.annotator, flag.kind) == (assignment, annotator, FlagKind.NAMES_SOMEBODY)
    assert flag.words is not None
    assert open_text(flag.words) == WORDS
    assert flag.words.data_key.scope == clinician_scope(annotator)
    assert WORDS.encode() not in bytes(flag.words.ciphertext)


def test_the_sample_stays_on_screen(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    page = client_for(annotator).post(url(campaign, assignment), posted(), follow=True).content.decode()
    assert f"Sample {assignment.sample.number}<" in page
    assert "Flagged." in page
    assert WORDS not in page
    assignment.refresh_from_db()
    assert assignment.state == AssignmentState.LEASED
    assert give(campaign, assignment).assignment == assignment


def test_words_are_not_needed(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client_for(annotator).post(url(campaign, assignment), posted(words="  "))
    assert SampleFlag.objects.get().words is None


def test_the_same_request_again_adds_nothing(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client, data = client_for(annotator), posted()
    codes = [client.post(url(campaign, assignment), data).status_code for _ in range(3)]
    assert codes == [302, 302, 302]
    assert SampleFlag.objects.count() == 1


def test_one_sample_may_have_several_flags(assignment: Assignment, annotator: User) -> None:
    for kind in FlagKind:
        flag_sample(annotator=annotator, assignment=assignment, kind=kind, words="", key=uuid.uuid4())
    assert set(SampleFlag.objects.values_list("kind", flat=True)) == set(FlagKind.values)


def test_a_key_that_flagged_another_sample_is_refused(
    campaign: Campaign, assignment: Assignment, annotator: User
) -> None:
    key, kind = uuid.uuid4(), FlagKind.UNREADABLE
    other = campaign.assignments.filter(annotator=annotator).exclude(pk=assignment.pk)[0]
    flag_sample(annotator=annotator, assignment=assignment, kind=kind, words="", key=key)
    with pytest.raises(KeyReusedError):
        flag_sample(annotator=annotator, assignment=other, kind=kind, words="", key=key)
    assert SampleFlag.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", ""), ("kind", "boring"), ("key", "not-a-uuid"), ("words", "x" * 5000)],
)
def test_bad_input_flags_nothing(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    field: str,
    value: str,
) -> None:
    response = client_for(annotator).post(url(campaign, assignment), posted(**{field: value}))
    assert response.status_code == 422
    assert not SampleFlag.objects.exists()


def test_a_refused_form_keeps_its_words(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    page = client_for(annotator).post(url(campaign, assignment), posted(kind="")).content.decode()
    assert WORDS in page


def test_nobody_else_flags_it(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    second_annotator: User,
    lead: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    other = make_campaign(lead, [], slug="other")
    for person in (second_annotator, lead, outsider):
        client = client_for(person)
        assert client.get(url(campaign, assignment)).status_code == 404
        assert client.post(url(campaign, assignment), posted()).status_code == 404
    assert client_for(annotator).post(url(other, assignment), posted()).status_code == 404
    assert Client().post(url(campaign, assignment), posted()).status_code == 302
    assert client_for(annotator).put(url(campaign, assignment)).status_code == 405
    assert not SampleFlag.objects.exists()


def test_the_database_knows_the_kinds(assignment: Assignment, annotator: User) -> None:
    with pytest.raises(IntegrityError, match="sampleflag_kind_is_known"), transaction.atomic():
        SampleFlag.objects.create(
            assignment=assignment, annotator=annotator, kind="boring", idempotency_key=uuid.uuid4()
        )


def test_query_count(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(annotator)
    with django_assert_max_num_queries(25):
        client.post(url(campaign, assignment), posted())
