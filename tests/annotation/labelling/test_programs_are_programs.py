"""A program's answers are never a clinician's, however they come in: the database says so."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from annotation.labelling.services import record_label
from annotation.models import Assignment, Campaign, Label, Purpose
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.worlds import join, label, make_campaign, submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(lead: User) -> User:
    made = people.make("program", Role.ANNOTATOR)
    User.objects.filter(pk=made.pk).update(is_simulated=True)
    return User.objects.get(pk=made.pk)


def test_a_slot_given_to_a_program_in_a_human_campaign_takes_no_label(
    lead: User, annotator: User, program: User
) -> None:
    campaign = make_campaign(lead, [annotator])
    join(campaign, program)
    slot = Assignment.objects.create(
        campaign=campaign,
        sample=campaign.samples.all()[0],
        annotator=program,
        purpose=Purpose.OVERLAP,
        position=1,
    )
    given = submission(campaign)
    with pytest.raises(IntegrityError, match="does not count as a clinician"), transaction.atomic():
        record_label(annotator=program, assignment=slot, submission=given)
    assert not Label.objects.filter(annotator=program).exists()


def test_a_program_cannot_be_called_a_person_afterwards(lead: User, program: User) -> None:
    campaign = make_campaign(lead, [program], slug="rehearsal", is_simulated=True)
    label(campaign, program, 1)
    with pytest.raises(DatabaseError), transaction.atomic():
        User.objects.filter(pk=program.pk).update(is_simulated=False)
    assert Label.objects.get().is_simulated


def test_in_its_own_campaign_it_labels(lead: User, program: User) -> None:
    campaign = make_campaign(lead, [program], slug="rehearsal", is_simulated=True)
    label(campaign, program, 1)
    assert Campaign.objects.get(pk=campaign.pk).labels.get().is_simulated
