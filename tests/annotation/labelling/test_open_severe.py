"""A text estimated severe stays covered until the person opens it; that it was read is written down."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.assignment.queue import release_expired_leases
from annotation.labelling.services import NotYoursError
from annotation.labelling.unlabelled import uncover
from annotation.models import Assignment, AssignmentState, Campaign
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.planned import give, make_planned_campaign

ClientFor = Callable[[User], Client]
TEXT = "source of planned: what was said"


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Three samples, all of them estimated severe."""
    return make_planned_campaign(lead, [annotator, second_annotator], samples=3, severe=[1, 2, 3])


def url(campaign: Campaign, assignment: Assignment) -> str:
    return reverse("annotation:open_severe", args=[campaign.slug, assignment.pk])


def workbench(campaign: Campaign) -> str:
    return reverse("annotation:workbench", args=[campaign.slug])


def reads(user: User) -> int:
    return AccessEvent.objects.filter(actor=user, object_type="sample").count()


def test_the_text_is_covered_at_first(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    page = client_for(annotator).get(workbench(campaign)).content.decode()
    assert f"Sample {assignment.sample.number}<" in page
    assert "Estimated severe" in page
    assert TEXT not in page
    assert reads(annotator) == 0


def test_works(campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor) -> None:
    before = timezone.now()
    response = client_for(annotator).post(url(campaign, assignment), follow=True)
    assert response.redirect_chain == [(workbench(campaign), 302)]
    assert response.content.decode().count(TEXT) == 2  # two turns
    assignment.refresh_from_db()
    assert assignment.opened_at is not None
    assert assignment.opened_at >= before
    assert reads(annotator) >= 1
    event = AccessEvent.objects.filter(actor=annotator, object_type="sample")[0]
    assert event.object_id == str(assignment.sample_id)


def test_opened_is_opened_once(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(campaign, assignment))
    first = Assignment.objects.get(pk=assignment.pk)
    client.post(url(campaign, assignment))
    again = Assignment.objects.get(pk=assignment.pk)
    assert (again.opened_at, again.first_shown_at) == (first.opened_at, first.first_shown_at)


def test_for_the_other_reader_it_is_still_covered(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    second_annotator: User,
    client_for: ClientFor,
) -> None:
    client_for(annotator).post(url(campaign, assignment))
    client = client_for(second_annotator)
    client.post(reverse("annotation:fetch_next", args=[campaign.slug]))
    page = client.get(workbench(campaign)).content.decode()
    assert "Estimated severe" in page
    assert TEXT not in page


def test_a_refused_label_does_not_uncover_the_text(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    save = reverse("annotation:save_label", args=[campaign.slug, assignment.pk])
    response = client_for(annotator).post(save, {"key": "nonsense"})
    assert response.status_code == 422
    assert TEXT not in response.content.decode()


def test_after_an_undo_it_is_open(
    campaign: Campaign, assignment: Assignment, annotator: User, client_for: ClientFor
) -> None:
    client = client_for(annotator)
    client.post(url(campaign, assignment))
    assignment.refresh_from_db()
    give(campaign, assignment)
    page = client.post(reverse("annotation:undo", args=[campaign.slug]), follow=True).content.decode()
    assert TEXT in page


def test_it_can_be_opened_after_the_lease_ran_out(assignment: Assignment, annotator: User) -> None:
    """The laptop slept for an hour with the covered sample on the screen."""
    Assignment.objects.filter(pk=assignment.pk).update(leased_until=timezone.now() - timedelta(minutes=30))
    release_expired_leases()
    uncover(annotator=annotator, assignment=assignment)
    assignment.refresh_from_db()
    assert assignment.opened_at is not None


@pytest.mark.parametrize("state", [AssignmentState.RESTING, AssignmentState.WAITING])
def test_what_was_never_handed_out_cannot_be_opened(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    state: AssignmentState,
) -> None:
    """Else two severe texts could be read one after the other, and a silent repeat before its time."""
    other = campaign.assignments.filter(annotator=annotator).exclude(pk=assignment.pk)[0]
    Assignment.objects.filter(pk=other.pk).update(state=state)
    other.refresh_from_db()
    with pytest.raises(NotYoursError):
        uncover(annotator=annotator, assignment=other)
    page = client_for(annotator).post(url(campaign, other), follow=True).content.decode()
    assert TEXT not in page
    other.refresh_from_db()
    assert (other.opened_at, other.first_shown_at) == (None, None)
    assert reads(annotator) == 0


def test_what_was_passed_stays_closed(assignment: Assignment, annotator: User) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(state=AssignmentState.PASSED)
    with pytest.raises(NotYoursError):
        uncover(annotator=annotator, assignment=assignment)


def test_nobody_else_opens_it(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    second_annotator: User,
    lead: User,
    outsider: User,
    client_for: ClientFor,
) -> None:
    other = make_planned_campaign(lead, [annotator], samples=2, slug="other", labels_per_sample=1)
    for person in (second_annotator, lead, outsider):
        assert client_for(person).post(url(campaign, assignment)).status_code == 404
    assert client_for(annotator).post(url(other, assignment)).status_code == 404
    assert client_for(annotator).get(url(campaign, assignment)).status_code == 405
    assert Client().post(url(campaign, assignment)).status_code == 302
    assignment.refresh_from_db()
    assert assignment.opened_at is None


def test_a_sample_not_estimated_severe_is_open_from_the_start(
    lead: User, annotator: User, client_for: ClientFor
) -> None:
    plain = make_planned_campaign(lead, [annotator], samples=1, slug="plain", labels_per_sample=1)
    client = client_for(annotator)
    client.post(reverse("annotation:fetch_next", args=[plain.slug]))
    page = client.get(workbench(plain)).content.decode()
    assert "what was said" in page
    assert not re.search(r'id="cover-title"[^<]*<', page.split("<template")[0])


def test_query_count(
    campaign: Campaign,
    assignment: Assignment,
    annotator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(annotator)
    with django_assert_max_num_queries(20):
        client.post(url(campaign, assignment))
