"""Who leaves for good: labels stay under the code, everything personal is gone."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from annotation.assignment.queue import assign_next
from annotation.labelling.unlabelled import keep_draft
from annotation.models import (
    OPEN_STATES,
    Application,
    Campaign,
    CareLimits,
    CheckIn,
    CurriculumVitae,
    Draft,
    Label,
    Licence,
    Sitting,
    TopicOptOut,
)
from annotation.rights.services import leave_for_good
from annotation.wellbeing.services import check_in, set_limits
from prometheus_site.accounts.api_tokens import ApiTokenRefusedError, create_api_token, recognise_api_token
from prometheus_site.accounts.models import Invitation, User
from prometheus_site.accounts.services import LastLeadError
from prometheus_site.audit.models import AccessEvent
from prometheus_site.audit.verification import verify
from prometheus_site.core.sealing import TextErasedError, open_text
from tests.annotation.recruitment.applying import Stranger, recruit
from tests.annotation.worlds import label, make_campaign

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(
    settings: Settings, tmp_path: Path, lead: User, annotator: User, second_annotator: User
) -> Campaign:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    made = make_campaign(lead, [annotator, second_annotator], labels_per_sample=1)
    waiting = made.assignments.filter(annotator=annotator, repeat_number=0).order_by("position")
    label(made, annotator, waiting[0].sample.number, note="a note")
    check_in(user=annotator, answers={"mood": "1", "words": "words"})
    set_limits(user=annotator, limits={"severe_per_day": 3})
    TopicOptOut.objects.create(user=annotator, topic="grief")
    slot = assign_next(campaign=made, annotator=annotator)
    assert slot is not None
    keep_draft(annotator=annotator, assignment=slot, answers={}, note="a draft")
    return made


def _invitation_of(person: User, lead: User) -> Invitation:
    return Invitation.objects.create(
        email=person.email,
        role="annotator",
        token_digest=uuid.uuid4().hex,
        invited_by=lead,
        expires_at=timezone.now(),
        accepted_at=timezone.now(),
        accepted_by=person,
    )


def test_labels_stay_and_verify(campaign: Campaign, annotator: User) -> None:
    [before] = Label.objects.filter(annotator=annotator)
    leave_for_good(person=annotator, because="a new post")
    stands = Label.objects.current().get(annotator=annotator)
    assert (stands.pk, stands.answers) == (before.pk, before.answers)
    assert Label.objects.locked().filter(pk=before.pk).exists()
    assert verify().faults == []


def test_what_the_person_wrote_is_unreadable(campaign: Campaign, annotator: User) -> None:
    leave_for_good(person=annotator, because="a new post")
    for sealed in (
        CheckIn.objects.get(user=annotator).answers,
        Label.objects.get(annotator=annotator).note,
        Licence.objects.get(clinician=annotator).number,
    ):
        assert sealed is not None
        with pytest.raises(TextErasedError):
            open_text(sealed)
    assert not Draft.objects.filter(assignment__annotator=annotator).exists()
    assert not TopicOptOut.objects.filter(user=annotator).exists()
    assert not CareLimits.objects.filter(user=annotator).exists()


def test_name_and_address_are_gone(campaign: Campaign, annotator: User) -> None:
    code, address = annotator.code, annotator.email
    leave_for_good(person=annotator, because="a new post")
    left = User.objects.get(pk=annotator.pk)
    assert (left.code, left.display_name, left.is_active) == (code, "", False)
    assert address not in left.email
    assert str(left) == code
    assert not left.has_usable_password()


def test_nothing_opens_for_them_any_more(campaign: Campaign, annotator: User, client_for: ClientFor) -> None:
    client = client_for(annotator)
    assert client.get("/care/").status_code == 200
    _, secret = create_api_token(user=annotator, name="a program", was_second_factor_passed=True)
    leave_for_good(person=annotator, because="a new post")
    assert client.get("/care/").status_code == 302
    with pytest.raises(ApiTokenRefusedError):
        recognise_api_token(secret)
    assert not Sitting.objects.filter(annotator=annotator, ended_at=None).exists()


def test_what_waited_goes_to_others(campaign: Campaign, annotator: User, second_annotator: User) -> None:
    leave_for_good(person=annotator, because="a new post")
    assert not campaign.assignments.filter(annotator=annotator, state__in=OPEN_STATES).exists()
    readers = campaign.assignments.filter(annotator=second_annotator, repeat_number=0)
    open_or_done = readers.filter(state__in=[*OPEN_STATES, "labelled"]).count()
    assert open_or_done == campaign.samples.count() - 1


def test_the_application_behind_the_invitation_is_erased(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    recruit(campaign, lead)
    applied = Stranger(campaign).begin().send().application
    invitation, address = _invitation_of(annotator, lead), annotator.email
    Application.objects.filter(pk=applied.pk).update(invitation=invitation)
    leave_for_good(person=annotator, because="a new post")
    applied.refresh_from_db()
    assert applied.data_key.wrapped is None
    assert bytes(applied.email_digest) == b""
    assert not CurriculumVitae.objects.filter(application=applied).exists()
    invitation.refresh_from_db()
    assert invitation.email != address


def test_an_application_that_no_invitation_came_of_is_erased_too(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    recruit(campaign, lead)
    applied = Stranger(campaign, annotator.email).begin().send().application
    leave_for_good(person=annotator, because="a new post")
    applied.refresh_from_db()
    assert applied.invitation is None
    assert applied.data_key.wrapped is None
    assert bytes(applied.email_digest) == b""
    assert not CurriculumVitae.objects.filter(application=applied).exists()


def test_asked_twice_it_holds_once(campaign: Campaign, annotator: User) -> None:
    leave_for_good(person=annotator, because="a new post")
    leave_for_good(person=User.objects.get(pk=annotator.pk), because="a new post")
    assert AccessEvent.objects.filter(object_type="person_left", object_id=str(annotator.pk)).count() == 2


def test_the_only_lead_cannot_go(campaign: Campaign, lead: User) -> None:
    with pytest.raises(LastLeadError):
        leave_for_good(person=lead, because="a new post")
    assert User.objects.get(pk=lead.pk).is_active
    with pytest.raises(CommandError, match="only lead"):
        call_command("leave_for_good", lead.code, "--because", "a new post", "--yes")


def test_the_command_says_what_is_left_to_do(
    campaign: Campaign, annotator: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("leave_for_good", annotator.code, "--because", "a new post", "--yes")
    assert "register of withdrawals" in capsys.readouterr().out
    assert not User.objects.get(pk=annotator.pk).is_active
