"""A try to get samples at every stage before the last, by page and API: the query refuses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from annotation.assignment.planning import replan_where_needed
from annotation.assignment.queue import hand_out
from annotation.models import (
    OPEN_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignMember,
    Label,
    Outcome,
    Purpose,
)
from annotation.qualification.admissions import close_expired
from annotation.qualification.services import decide
from annotation.recruitment.advance import move_by_hand
from annotation.recruitment.stages import WAY, Stage
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.qualification.stages import (
    check_licence,
    give_slots,
    handed_out,
    invite_to_calibrate,
    sign_all,
    texts_that_came,
    train,
)
from tests.annotation.recruitment.applying import Stranger, recruit
from tests.annotation.recruitment.hired import passed_quiz, taken_in, with_account
from tests.annotation.worlds import submission

ClientFor = Callable[[User], Client]
CALIBRATION = {"calibration"}


@pytest.fixture
def candidate(database: None) -> User:
    return people.make("candidate", Role.ANNOTATOR)


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    return make_planned_campaign(
        lead, [annotator, second_annotator], samples=8, severe={8}, calibration_samples=2
    )


# Each stage does what the one before did and one thing more.
def applied(campaign: Campaign, person: User, lead: User) -> None:
    """Somebody with a login who takes part nowhere."""


def took_the_quiz(campaign: Campaign, person: User, lead: User) -> None:
    applied(campaign, person, lead)
    CampaignMember.objects.create(campaign=campaign, user=person)


def invited(campaign: Campaign, person: User, lead: User) -> None:
    took_the_quiz(campaign, person, lead)
    invite_to_calibrate(campaign, person)


def calibrates(campaign: Campaign, person: User, lead: User) -> None:
    invited(campaign, person, lead)
    sign_all(person, "consent", "confidentiality")


def licence_checked(campaign: Campaign, person: User, lead: User) -> None:
    calibrates(campaign, person, lead)
    check_licence(person, lead, days=60)


def agreed(campaign: Campaign, person: User, lead: User) -> None:
    licence_checked(campaign, person, lead)
    sign_all(person)


def trained(campaign: Campaign, person: User, lead: User) -> None:
    agreed(campaign, person, lead)
    train(person)


def qualified(campaign: Campaign, person: User, lead: User) -> None:
    trained(campaign, person, lead)
    decided(campaign, person, lead, Outcome.PROVISIONAL)


def refused(campaign: Campaign, person: User, lead: User) -> None:
    qualified(campaign, person, lead)
    decided(campaign, person, lead, Outcome.REFUSED)


def decided(campaign: Campaign, person: User, lead: User, outcome: Outcome) -> None:
    decide(campaign=campaign, clinician=person, outcome=outcome, because="As it stands.", decided_by=lead)


@pytest.mark.parametrize("stage", [applied, took_the_quiz, invited, refused])
def test_nothing_comes_by_any_way(
    stage: Callable[..., None], campaign: Campaign, candidate: User, lead: User, client_for: ClientFor
) -> None:
    stage(campaign, candidate, lead)
    give_slots(campaign, candidate)
    assert texts_that_came(client_for(candidate), campaign, candidate) == []
    assert handed_out(campaign, candidate) == set()
    assert hand_out(campaign=campaign, annotator=candidate, count=3).slots == ()


@pytest.mark.parametrize("stage", [calibrates, licence_checked, agreed, trained])
def test_a_candidate_gets_the_calibration_samples_on_the_real_page_and_nothing_else(
    stage: Callable[..., None], campaign: Campaign, candidate: User, lead: User, client_for: ClientFor
) -> None:
    stage(campaign, candidate, lead)
    give_slots(campaign, candidate)
    client = client_for(candidate)
    assert texts_that_came(client, campaign, candidate) != []
    assert handed_out(campaign, candidate) == CALIBRATION
    given = [slot.pk for slot in hand_out(campaign=campaign, annotator=candidate, count=9).slots]
    purposes = Assignment.objects.filter(pk__in=given).values_list("purpose", flat=True)
    assert set(purposes) == CALIBRATION
    seen = texts_that_came(client, campaign, candidate)
    others = Assignment.objects.filter(annotator=candidate).exclude(purpose="calibration")
    assert not others.filter(state=AssignmentState.LEASED).exists(), seen


# --- A person who came by application ----------------------------------------------------------------------
def has_an_account(mara: Stranger, lead: User) -> User:
    return with_account(mara)


def signed_and_learned(mara: Stranger, lead: User) -> User:
    person = has_an_account(mara, lead)
    sign_all(person)
    train(person)
    return person


def let_in(mara: Stranger, lead: User) -> User:
    person = has_an_account(mara, lead)
    taken_in(mara, lead)
    return User.objects.get(pk=person.pk)


def calibrates_by_application(mara: Stranger, lead: User) -> User:
    person = let_in(mara, lead)
    sign_all(person, "consent", "confidentiality")
    return person


def moved_ahead_on_the_board(mara: Stranger, lead: User) -> User:
    """The board says all of it, and nothing of that is a decision."""
    person = signed_and_learned(mara, lead)
    for stage in WAY[WAY.index(Stage.CALIBRATION) + 1 :]:
        if mara.application.stage != stage:
            mara.moved(stage, lead)
    return person


def declined(mara: Stranger, lead: User) -> User:
    person = calibrates_by_application(mara, lead)
    move_by_hand(application=mara.application, to=Stage.DECLINED, by=lead, why="Not now.")
    return person


def withdrew(mara: Stranger, lead: User) -> User:
    person = calibrates_by_application(mara, lead)
    mara.client.post(f"{mara.page}withdraw/")
    assert mara.application.stage == Stage.WITHDRAWN
    return person


@pytest.fixture
def mara(campaign: Campaign, lead: User) -> Stranger:
    recruit(campaign, lead)
    return passed_quiz(campaign, lead)


@pytest.mark.parametrize(
    "stage", [has_an_account, signed_and_learned, let_in, moved_ahead_on_the_board, declined, withdrew]
)
def test_an_applicant_gets_nothing_by_any_way(
    stage: Callable[..., User], campaign: Campaign, mara: Stranger, lead: User, client_for: ClientFor
) -> None:
    person = stage(mara, lead)
    give_slots(campaign, person)
    client = client_for(person)
    assert texts_that_came(client, campaign, person) == []
    assert handed_out(campaign, person) == set()
    assert hand_out(campaign=campaign, annotator=person, count=3).slots == ()


def test_an_applicant_who_is_let_in_and_signed_gets_the_calibration_samples_and_nothing_else(
    campaign: Campaign, mara: Stranger, lead: User, client_for: ClientFor
) -> None:
    person = calibrates_by_application(mara, lead)
    give_slots(campaign, person)
    assert texts_that_came(client_for(person), campaign, person) != []
    assert handed_out(campaign, person) == CALIBRATION


def test_before_having_an_account_there_is_nobody_to_give_a_sample_to(
    campaign: Campaign, mara: Stranger
) -> None:
    assert mara.client.get(reverse("annotation:workbench", args=[campaign.slug])).status_code == 302
    answer = mara.client.post(reverse("annotation_api:next", args=[campaign.slug]), {}, "application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize("stage", [has_an_account, signed_and_learned])
def test_an_applicant_has_documents_and_training_and_no_page_of_the_campaign(
    stage: Callable[..., User], campaign: Campaign, mara: Stranger, lead: User, client_for: ClientFor
) -> None:
    client = client_for(stage(mara, lead))
    for name in ("home", "annotation:documents", "annotation:training"):
        assert client.get(reverse(name)).status_code == 200
    for name in ("workbench", "own_qualification", "own_labels", "guideline", "hours"):
        assert client.get(reverse(f"annotation:{name}", args=[campaign.slug])).status_code == 404
    for name in ("campaigns", "care"):
        assert client.get(reverse(f"annotation:{name}")).status_code == 404


def test_the_plan_gives_a_candidate_the_calibration_samples(
    campaign: Campaign, candidate: User, lead: User
) -> None:
    invited(campaign, candidate, lead)
    own = Assignment.objects.filter(annotator=candidate)
    assert set(own.values_list("purpose", "state")) == {("calibration", "waiting")}
    assert own.count() == 2
    assert replan_where_needed() == 0, "a plan with candidates is even"


def test_who_is_qualified_gets_everything(
    campaign: Campaign, candidate: User, lead: User, client_for: ClientFor
) -> None:
    qualified(campaign, candidate, lead)
    planned = Assignment.objects.filter(annotator=candidate, state__in=OPEN_STATES)
    assert {Purpose.OVERLAP, Purpose.CALIBRATION} <= set(planned.values_list("purpose", flat=True))
    client_for(candidate).post(reverse("annotation:fetch_next", args=[campaign.slug]))
    assert planned.filter(state=AssignmentState.LEASED, first_shown_at__isnull=False).count() == 1


def test_a_program_hears_why_nothing_comes(
    campaign: Campaign, candidate: User, lead: User, client_for: ClientFor
) -> None:
    invited(campaign, candidate, lead)
    answer = client_for(candidate).post(
        reverse("annotation_api:next", args=[campaign.slug]), {"count": 2}, content_type="application/json"
    )
    assert answer.status_code == 200
    assert answer.json()["cards"] == []
    assert answer.json()["pause"]["reason"] == "not_admitted"
    page = client_for(candidate).get(reverse("annotation:workbench", args=[campaign.slug])).content.decode()
    assert "Before the next sample" in page
    assert "consent and content warning" in page


def test_a_label_in_flight_when_the_licence_ends_is_not_lost(
    campaign: Campaign, candidate: User, lead: User, client_for: ClientFor
) -> None:
    qualified(campaign, candidate, lead)
    client = client_for(candidate)
    handed = hand_out(campaign=campaign, annotator=candidate, count=2).slots
    one, other = sorted(handed, key=lambda slot: slot.sample.is_estimated_severe)  # the first was not covered
    client.post(reverse("annotation_api:next", args=[campaign.slug]), _asks(), "application/json")
    ends_at = candidate.admissions.get().valid_until
    assert ends_at is not None
    with time_machine.travel(ends_at + timedelta(minutes=2), tick=False):
        assert close_expired() == 1
        assert replan_where_needed() == 1
        client = client_for(candidate)
        body = {
            "key": "6e0c4e9e-4b8c-4f0e-8a53-5a5c4f7d1f10",
            "guideline": str(campaign.guideline_id),
            "answers": submission(campaign).answers,
            "count": 2,
        }
        address = reverse("annotation_api:label", args=[campaign.slug, one.pk])
        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code == 201, answer.content
        assert answer.json()["cards"] == []
        assert Label.objects.filter(assignment=one).exists()
        label = Label.objects.get(assignment=one)
        correction = client.get(reverse("annotation:correct_label", args=[campaign.slug, label.pk]))
        assert correction.status_code == 200
    assert not Label.objects.filter(assignment=other).exists()


def _asks() -> dict[str, object]:
    return {"count": 2, "held": [], "showing": None}


def test_a_licence_that_ended_pauses_and_a_renewed_one_goes_on(
    campaign: Campaign, candidate: User, lead: User
) -> None:
    qualified(campaign, candidate, lead)
    ends_at = candidate.admissions.get().valid_until
    assert ends_at is not None
    with time_machine.travel(ends_at, tick=False):
        assert hand_out(campaign=campaign, annotator=candidate).slots == ()
        close_expired()
        replan_where_needed()
        open_slots = Assignment.objects.filter(annotator=candidate, state__in=OPEN_STATES)
        assert not open_slots.exists(), "what waited goes to the others"
        check_licence(candidate, lead, days=365)
        assert open_slots.exists()
        assert len(hand_out(campaign=campaign, annotator=candidate).slots) == 1


def test_the_moment_before_the_end_still_counts(campaign: Campaign, candidate: User, lead: User) -> None:
    qualified(campaign, candidate, lead)
    ends_at = candidate.admissions.get().valid_until
    assert ends_at is not None
    with time_machine.travel(ends_at - timedelta(seconds=1), tick=False):
        assert len(hand_out(campaign=campaign, annotator=candidate).slots) == 1


def test_a_clock_set_back_opens_nothing_again(campaign: Campaign, candidate: User, lead: User) -> None:
    qualified(campaign, candidate, lead)
    ends_at = candidate.admissions.get().valid_until
    assert ends_at is not None
    with time_machine.travel(ends_at + timedelta(hours=1), tick=False):
        close_expired()
    with time_machine.travel(ends_at - timedelta(hours=1), tick=False):
        assert hand_out(campaign=campaign, annotator=candidate).slots == ()


def test_calibrating_again_is_a_new_reading_of_the_same_samples(
    campaign: Campaign, candidate: User, lead: User
) -> None:
    qualified(campaign, candidate, lead)
    first = Assignment.objects.filter(annotator=candidate, purpose=Purpose.CALIBRATION)
    for slot in first:
        give(campaign, slot)
    decided(campaign, candidate, lead, Outcome.CALIBRATE)
    again = Assignment.objects.filter(annotator=candidate, state__in=OPEN_STATES)
    assert set(again.values_list("purpose", "repeat_number", "state")) == {("calibration", 1, "waiting")}
    assert again.count() == 2
    assert replan_where_needed() == 0
    [slot] = hand_out(campaign=campaign, annotator=candidate).slots
    assert slot.sample.pk in set(first.values_list("sample", flat=True))
    decided(campaign, candidate, lead, Outcome.PROVISIONAL)
    assert Purpose.OVERLAP in set(again.values_list("purpose", flat=True))


def test_a_campaign_without_the_gate_asks_nothing(campaign: Campaign, candidate: User, lead: User) -> None:
    took_the_quiz(campaign, candidate, lead)
    give_slots(campaign, candidate)
    Campaign.objects.filter(pk=campaign.pk).update(requires_qualification=False)
    campaign.refresh_from_db()
    assert len(hand_out(campaign=campaign, annotator=candidate).slots) == 1
