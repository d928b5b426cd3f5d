"""Consent to labels taken back: they stay, are marked, and enter nothing any more."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from annotation.agreement.reading import counting_labels, left_out_of, version_of
from annotation.assignment.planning import revise_plan
from annotation.labelling.services import NotYoursError, record_label
from annotation.models import (
    AssignmentState,
    Campaign,
    CampaignMember,
    Label,
    LabelWithdrawal,
    WithdrawnLabel,
)
from annotation.rights.services import NothingToWithdrawError, withdraw_labels
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from prometheus_site.audit.verification import verify
from tests import people
from tests.annotation.worlds import join, label, make_campaign, submission

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(
    settings: Settings, tmp_path: Path, lead: User, annotator: User, second_annotator: User
) -> Campaign:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    made = make_campaign(lead, [annotator, second_annotator], samples=4)
    for person in (annotator, second_annotator):
        for number in (1, 2):
            label(made, person, number)
    return made


def test_nothing_is_deleted_and_the_record_holds(campaign: Campaign, annotator: User) -> None:
    before = set(Label.objects.values_list("pk", flat=True))
    withdrawal = withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    assert set(Label.objects.values_list("pk", flat=True)) == before
    own = set(Label.objects.filter(annotator=annotator).values_list("pk", flat=True))
    assert set(withdrawal.labels.values_list("label", flat=True)) == own
    assert verify().faults == []
    assert AccessEvent.objects.filter(object_type="label_withdrawal", object_id=str(withdrawal.pk)).exists()


def test_agreement_leaves_them_out_and_says_why(
    campaign: Campaign, annotator: User, lead: User, client_for: ClientFor
) -> None:
    assert counting_labels(campaign).count() == 4
    before = version_of(campaign)
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    assert not counting_labels(campaign).filter(annotator=annotator).exists()
    assert counting_labels(campaign).count() == 2
    assert left_out_of(campaign).withdrawn == 2
    assert version_of(campaign) != before  # no kept figure is shown as today's
    page = client_for(lead).get(reverse("annotation:agreement", args=[campaign.slug])).content.decode()
    assert "whose maker took back the consent" in page


@pytest.mark.parametrize("name", ["export_csv", "export_jsonl"])
def test_exports_leave_them_out(
    campaign: Campaign, annotator: User, second_annotator: User, lead: User, client_for: ClientFor, name: str
) -> None:
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    answer = client_for(lead).get(reverse(f"annotation_api:{name}", args=[campaign.slug]))
    written = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert annotator.code not in written
    assert written.count(second_annotator.code) == 2
    assert answer.headers["X-Labels-Withdrawn"] == "2"


def test_the_plan_gives_the_samples_to_others(campaign: Campaign, annotator: User, lead: User) -> None:
    third = people.make("third", Role.ANNOTATOR)
    join(campaign, third)
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    freed = campaign.assignments.filter(annotator=third, state=AssignmentState.WAITING)
    assert set(freed.values_list("sample__number", flat=True)) >= {1, 2}
    own = campaign.assignments.filter(annotator=annotator, repeat_number=0)
    assert set(own.values_list("state", flat=True)) == {AssignmentState.WITHDRAWN}


def test_who_comes_back_is_not_given_the_same_samples(campaign: Campaign, annotator: User) -> None:
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    CampaignMember.objects.create(campaign=campaign, user=annotator)
    revise_plan(campaign=campaign, because="made up")
    waiting = campaign.assignments.filter(annotator=annotator, state=AssignmentState.WAITING)
    assert not set(waiting.values_list("sample__number", flat=True)) & {1, 2}


def test_nothing_more_can_be_saved(campaign: Campaign, annotator: User) -> None:
    slot = campaign.assignments.get(annotator=annotator, sample__number=3, repeat_number=0)
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    with pytest.raises(NotYoursError):
        record_label(annotator=annotator, assignment=slot, submission=submission(campaign))


def test_where_there_is_nothing_it_says_so(campaign: Campaign, annotator: User) -> None:
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    with pytest.raises(NothingToWithdrawError):
        withdraw_labels(clinician=annotator, campaign=campaign, because="again")
    with pytest.raises(CommandError, match="no label in use"):
        call_command("withdraw_labels", annotator.code, campaign.slug, "--because", "again", "--yes")
    assert LabelWithdrawal.objects.count() == 1


def test_the_event_and_its_marks_are_for_ever(campaign: Campaign, annotator: User) -> None:
    withdraw_labels(clinician=annotator, campaign=campaign, because="asked by letter")
    for table in (LabelWithdrawal, WithdrawnLabel):
        statement = f"DELETE FROM {table._meta.db_table}"  # noqa: S608
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_command(campaign: Campaign, annotator: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("withdraw_labels", annotator.code, campaign.slug, "--because", "a letter", "--yes")
    assert "2 labels" in capsys.readouterr().out
    for wrong in ([("C-NOBODY"), campaign.slug], [annotator.code, "nowhere"]):
        with pytest.raises(CommandError):
            call_command("withdraw_labels", *wrong, "--because", "a letter", "--yes")
