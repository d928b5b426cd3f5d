"""An application follows what is done for it: in its transaction, in any order, once, and never backwards."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
import time_machine
from django.core import mail as outbox
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.assignment.queue import hand_out
from annotation.campaigns.services import change_state, pause_member, resume_member, set_members
from annotation.learning.content import modules
from annotation.learning.services import answer_module
from annotation.models import Campaign, CampaignState, MailKind, Outcome
from annotation.qualification.services import DecisionRefusedError
from annotation.recruitment.advance import advance, advance_all, move_by_hand
from annotation.recruitment.mail import send_waiting
from annotation.recruitment.selectors import applications_in, history_of, rows_of
from annotation.recruitment.services import MoveRefusedError
from annotation.recruitment.stages import WAY, Stage
from annotation.recruitment.taking_in import TakingInRefusedError, take_in
from prometheus_site.accounts.models import RoleGrant, User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests import people
from tests.annotation.planned import make_planned_campaign
from tests.annotation.qualification.stages import check_licence, sign_all, train
from tests.annotation.recruitment.applying import Stranger, applied, recruit
from tests.annotation.recruitment.hired import calibrate, decided, passed_quiz, taken_in, with_account

ClientFor = Callable[[User], Client]


@pytest.fixture
def campaign(lead: User, annotator: User, second_annotator: User) -> Campaign:
    """Return an open campaign with calibration samples that recruits."""
    made = make_planned_campaign(lead, [annotator, second_annotator], samples=8, calibration_samples=2)
    recruit(made, lead)
    return made


@pytest.fixture
def mara(campaign: Campaign, lead: User) -> Stranger:
    return passed_quiz(campaign, lead)


@pytest.fixture
def person(mara: Stranger) -> User:
    return with_account(mara)


def path_of(mara: Stranger) -> list[str]:
    return [event.to_stage for event in mara.application.events.order_by("number")]


def by_hand(mara: Stranger, to: Stage, by: User | None, why: str = "It fits.") -> None:
    move_by_hand(application=mara.application, to=to, by=by, why=why)


# --- The whole way -----------------------------------------------------------------------------------------
DEEDS = ("sign", "calibrate", "licence")


@pytest.mark.parametrize("order", list(permutations(DEEDS)))
def test_every_order_ends_at_the_same_place_by_the_same_way(
    order: tuple[str, ...], campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    sign_all(person, "consent", "confidentiality")
    taken_in(mara, lead)
    for deed in order:
        if deed == "sign":
            sign_all(person)
            train(person)
        elif deed == "licence":
            check_licence(person, lead, days=60)
        else:
            calibrate(campaign, person)
            advance_all()  # a label tells nobody here; the sweeper sees it
    assert mara.application.stage == Stage.LICENCE_CHECKED
    by_hand(mara, Stage.OFFERED, lead)
    assert mara.application.stage == Stage.TRAINING  # all of it was there
    decided(campaign, person, lead, Outcome.PROVISIONAL)
    assert path_of(mara) == ["unconfirmed", *WAY]
    assert campaign.admissions.in_force().get(clinician=person).covers_all


def test_every_step_says_who_and_why(campaign: Campaign, mara: Stranger, person: User, lead: User) -> None:
    sign_all(person)
    train(person)
    taken_in(mara, lead)
    calibrate(campaign, person)
    check_licence(person, lead, days=60)
    decided(campaign, person, lead, Outcome.PROVISIONAL)
    done = {one.event.to_stage: (one.event.moved_by, one.why) for one in history_of(mara.application)}
    assert done["licence_checked"] == (lead, "Calibrated, and the licence is checked.")
    assert done["offered"] == (lead, "Decided: provisional.")
    assert done["agreements"] == (lead, "The contractor terms are signed.")
    assert done["training"] == (lead, "Every document is signed.")
    assert done["active"] == (lead, "Samples may be handed out.")


def test_who_signs_moves_the_own_application(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    for to in (Stage.LICENCE_CHECKED, Stage.OFFERED):
        by_hand(mara, to, lead)
    sign_all(person, "contractor_terms")
    assert mara.application.stage == Stage.AGREEMENTS
    sign_all(person)
    assert mara.application.stage == Stage.TRAINING
    assert {event.moved_by for event in mara.application.events.filter(to_stage="training")} == {person}


def test_of_several_steps_at_once_only_the_last_is_written_about(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    sign_all(person)
    train(person)
    taken_in(mara, lead)
    calibrate(campaign, person)
    check_licence(person, lead, days=60)
    decided(campaign, person, lead, Outcome.PROVISIONAL)
    kinds = list(mara.application.mails.order_by("queued_at").values_list("kind", flat=True))
    assert kinds == ["confirm", "applied", "screening", "calibration", "calibrate", "active"]
    send_waiting()
    assert "you can label" in str(outbox.outbox[-1].body)


def test_nobody_is_written_to_about_a_training_that_is_done(mara: Stranger, person: User, lead: User) -> None:
    by_hand(mara, Stage.LICENCE_CHECKED, lead)
    sign_all(person)
    train(person)
    by_hand(mara, Stage.OFFERED, lead)
    assert mara.application.stage == Stage.TRAINING
    kinds = list(mara.application.mails.order_by("queued_at").values_list("kind", flat=True))
    assert kinds[-1] == MailKind.OFFERED


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        (Stage.CALIBRATION, "the link that makes your account"),
        (Stage.LICENCE_CHECKED, "The team decides about an offer"),
        (Stage.OFFERED, "Signing the contractor terms accepts the offer."),
        (Stage.AGREEMENTS, "still to be signed"),
        (Stage.TRAINING, "Complete the training"),
        (Stage.QUALIFIED, "You are qualified."),
        (Stage.ACTIVE, "You can label."),
    ],
)
def test_the_link_says_what_comes_next(mara: Stranger, lead: User, stage: Stage, says: str) -> None:
    for to in WAY[WAY.index(Stage.CALIBRATION) + 1 : WAY.index(stage) + 1]:
        mara.moved(to, lead)
    assert says in mara.client.get(mara.page).content.decode()
    assert says not in Client().get(mara.page).content.decode()  # the link alone shows the stage


def test_looked_at_again_nothing_changes(mara: Stranger, person: User) -> None:
    sign_all(person)
    before = path_of(mara)
    for _ in range(2):
        with transaction.atomic():
            advance(person=person, by=person)
        assert advance_all() == 0
    assert path_of(mara) == before


def test_what_is_taken_back_takes_the_step_back(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    """Half-way is nowhere: the signature and the step that it brought are one transaction."""
    for to in (Stage.LICENCE_CHECKED, Stage.OFFERED):
        by_hand(mara, to, lead)
    with transaction.atomic():
        sign_all(person)
        assert mara.application.stage == Stage.TRAINING
        transaction.set_rollback(True)
    assert mara.application.stage == Stage.OFFERED
    assert not person.signatures.exists()


def test_somebody_without_an_application_signs_and_learns_as_ever(
    campaign: Campaign, mara: Stranger, annotator: User
) -> None:
    answer_module(learner=annotator, module=modules()[0], chosen=[0] * len(modules()[0].questions))
    before = path_of(mara)
    advance_all()
    assert path_of(mara) == before


# --- Decisions ---------------------------------------------------------------------------------------------
def test_a_refusal_declines_and_a_later_decision_brings_it_back(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    sign_all(person)
    train(person)
    taken_in(mara, lead)
    decided(campaign, person, lead, Outcome.REFUSED)
    assert mara.application.stage == Stage.DECLINED
    check_licence(person, lead, days=60)  # refused, but nothing is lost
    assert mara.application.stage == Stage.DECLINED
    decided(campaign, person, lead, Outcome.PROVISIONAL)
    assert path_of(mara) == ["unconfirmed", *WAY[:3], Stage.DECLINED, *WAY[2:]]


def test_somebody_active_who_is_refused_has_left(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    qualify(campaign, mara, person, lead)
    decided(campaign, person, lead, Outcome.REFUSED)
    assert mara.application.stage == Stage.LEFT
    assert hand_out(campaign=campaign, annotator=person).slots == ()


def test_calibrating_again_moves_nobody_backwards(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    qualify(campaign, mara, person, lead)
    decided(campaign, person, lead, Outcome.CALIBRATE)
    assert mara.application.stage == Stage.ACTIVE


def test_an_old_refusal_says_nothing_about_a_new_application(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    sign_all(person)
    taken_in(mara, lead)
    decided(campaign, person, lead, Outcome.REFUSED)
    again = applied(campaign, mara.email)
    train(person)
    advance_all()
    assert again.application.stage == Stage.APPLIED
    assert mara.application.stage == Stage.DECLINED


def test_qualified_before_the_campaign_opens_becomes_active_when_it_does(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    qualify(campaign, mara, person, lead)
    assert mara.application.stage == Stage.QUALIFIED
    assert advance_all() == 0
    change_state(campaign=campaign, state=CampaignState.OPEN, changed_by=lead)
    assert advance_all() == 1
    assert mara.application.stage == Stage.ACTIVE


def test_a_licence_that_ends_on_the_way_stops_the_decision_and_moves_nothing(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    sign_all(person)
    train(person)
    taken_in(mara, lead)
    calibrate(campaign, person)
    check_licence(person, lead, days=3)
    by_hand(mara, Stage.OFFERED, lead)
    reached = mara.application.stage
    with time_machine.travel(person.licences.get(is_checked=True).ends_at + timedelta(minutes=1)):
        [row] = rows_of(campaign, [mara.application])
        assert row.waits_for
        assert row.waits_for.words == "you to check the licence"
        with pytest.raises(DecisionRefusedError, match="licence"):
            decided(campaign, person, lead, Outcome.PROVISIONAL)
        assert mara.application.stage == reached == Stage.TRAINING
        check_licence(person, lead, days=365)
        decided(campaign, person, lead, Outcome.PROVISIONAL)
    assert mara.application.stage == Stage.ACTIVE


# --- By hand -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("to", [Stage.QUALIFIED, Stage.ACTIVE])
def test_no_hand_says_that_somebody_is_qualified(mara: Stranger, person: User, lead: User, to: Stage) -> None:
    for stage in WAY[WAY.index(Stage.CALIBRATION) + 1 : WAY.index(to)]:
        mara.moved(stage, lead)
    with pytest.raises(MoveRefusedError, match="Decide on the person"):
        by_hand(mara, to, lead)


def test_what_was_done_while_it_rested_counts_when_it_goes_on(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    for to in (Stage.LICENCE_CHECKED, Stage.OFFERED, Stage.PAUSED):
        by_hand(mara, to, lead)
    sign_all(person)
    assert mara.application.stage == Stage.PAUSED
    by_hand(mara, Stage.OFFERED, lead)
    assert mara.application.stage == Stage.TRAINING


@pytest.mark.parametrize("end", [Stage.DECLINED, Stage.WITHDRAWN])
def test_who_is_out_takes_part_no_more_and_may_come_back(
    campaign: Campaign, mara: Stranger, person: User, lead: User, end: Stage
) -> None:
    sign_all(person)
    taken_in(mara, lead)
    calibrate(campaign, person)
    by_hand(mara, end, lead if end == Stage.DECLINED else None)
    assert not campaign.members.filter(user=person, left_at__isnull=True).exists()
    assert hand_out(campaign=campaign, annotator=person, count=9).slots == ()
    assert campaign.labels.filter(annotator=person).count() == 2
    by_hand(mara, Stage.CALIBRATION, lead)
    assert campaign.members.filter(user=person, left_at__isnull=True).count() == 1


def test_a_rest_on_the_board_is_a_rest_in_the_plan(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    qualify(campaign, mara, person, lead)
    by_hand(mara, Stage.PAUSED, lead)
    assert campaign.members.get(user=person).paused_at is not None
    assert hand_out(campaign=campaign, annotator=person).slots == ()
    by_hand(mara, Stage.ACTIVE, lead)
    assert campaign.members.get(user=person).paused_at is None
    assert len(hand_out(campaign=campaign, annotator=person).slots) == 1


def test_a_rest_on_the_plan_page_is_a_rest_on_the_board(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    qualify(campaign, mara, person, lead)
    member = campaign.members.get(user=person)
    pause_member(campaign=campaign, member=member, changed_by=lead)
    assert mara.application.stage == Stage.PAUSED
    resume_member(campaign=campaign, member=member, changed_by=lead)
    assert mara.application.stage == Stage.ACTIVE
    assert campaign.members.get(user=person).paused_at is None


def test_who_is_taken_out_on_the_campaign_page_has_left_and_may_be_put_back(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    qualify(campaign, mara, person, lead)
    everybody = set(campaign.members.filter(left_at__isnull=True).values_list("user", flat=True))
    set_members(campaign=campaign, user_ids=everybody - {person.pk}, changed_by=lead)
    assert mara.application.stage == Stage.LEFT
    assert hand_out(campaign=campaign, annotator=person).slots == ()
    set_members(campaign=campaign, user_ids=everybody, changed_by=lead)
    assert mara.application.stage == Stage.ACTIVE
    assert len(hand_out(campaign=campaign, annotator=person).slots) == 1


def test_who_is_taken_out_on_the_way_rests_and_nobody_is_declined_by_a_tick(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    taken_in(mara, lead)
    everybody = set(campaign.members.filter(left_at__isnull=True).values_list("user", flat=True))
    set_members(campaign=campaign, user_ids=everybody - {person.pk}, changed_by=lead)
    assert mara.application.stage == Stage.PAUSED
    set_members(campaign=campaign, user_ids=everybody, changed_by=lead)
    assert mara.application.stage == Stage.CALIBRATION


# --- Taking in ---------------------------------------------------------------------------------------------
def test_taking_in_makes_an_annotator_of_this_campaign_and_is_on_record(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    assert person.roles == {Role.APPLICANT}
    assert taken_in(mara, lead) == person
    assert User.objects.get(pk=person.pk).roles == {Role.ANNOTATOR}
    member = campaign.members.get(user=person)
    assert member.hours_per_week == 6  # as the application says
    grant = RoleGrant.objects.get(user=person, role=Role.ANNOTATOR)
    assert grant.granted_by == lead
    for kind, subject in (("role_grant", grant.pk), ("campaign", campaign.pk)):
        assert AccessEvent.objects.filter(actor=lead, object_type=kind, object_id=str(subject)).exists()
    assert campaign.qualification_decisions.get(clinician=person).outcome == Outcome.CALIBRATE


def test_taken_in_twice_counts_once(campaign: Campaign, mara: Stranger, person: User, lead: User) -> None:
    taken_in(mara, lead)
    taken_in(mara, lead)
    assert campaign.members.filter(user=person).count() == 1
    assert campaign.qualification_decisions.filter(clinician=person).count() == 1
    assert mara.application.mails.filter(kind=MailKind.CALIBRATE).count() == 1


def test_the_licence_that_was_applied_with_waits_to_be_checked(
    campaign: Campaign, mara: Stranger, person: User, lead: User, client_for: ClientFor
) -> None:
    taken_in(mara, lead)
    told = person.licences.get()
    assert (told.is_checked, told.jurisdiction) == (False, "Netherlands")
    page = client_for(lead).get(reverse("annotation:qualification", args=[campaign.slug, person.code]))
    assert "PSY-20417" in page.content.decode()


def test_a_licence_that_ended_since_does_not_hold_it_up(mara: Stranger, person: User, lead: User) -> None:
    with time_machine.travel("2040-01-01"):
        taken_in(mara, lead)
    assert not person.licences.exists()


def test_nobody_without_an_account_or_before_the_quiz_is_taken_in(
    campaign: Campaign, mara: Stranger, lead: User
) -> None:
    with pytest.raises(TakingInRefusedError, match="accepted the invitation"):
        taken_in(mara, lead)
    with_account(mara)
    by_hand(mara, Stage.DECLINED, lead)
    with pytest.raises(TakingInRefusedError, match="as far as"):
        taken_in(mara, lead)
    assert not RoleGrant.objects.filter(role=Role.ANNOTATOR, user__email=mara.email).exists()


def test_somebody_who_works_elsewhere_needs_no_second_account(campaign: Campaign, lead: User) -> None:
    known = people.make("mara", Role.ANNOTATOR)
    mara = passed_quiz(campaign, lead)
    send_waiting()
    assert "/invitation/" not in str(outbox.outbox[-1].body)
    assert "/accounts/login/" in str(outbox.outbox[-1].body)
    assert taken_in(mara, lead) == known
    assert known.roles == {Role.ANNOTATOR}


def test_nobody_takes_themselves_in(campaign: Campaign, mara: Stranger, person: User) -> None:
    RoleGrant.objects.create(user=person, role=Role.LEAD)
    with pytest.raises(DecisionRefusedError, match="themselves"):
        take_in(application=mara.application, by=User.objects.get(pk=person.pk), why="I am good.")
    assert not campaign.members.filter(user=person).exists()


def test_a_lead_takes_in_on_the_page_and_the_board_says_what_comes_next(
    campaign: Campaign, mara: Stranger, person: User, lead: User, client_for: ClientFor
) -> None:
    client, more = client_for(lead), [campaign.slug, mara.application.pk]
    board = reverse("annotation:recruiting", args=[campaign.slug])
    assert "you to let them calibrate" in client.get(board).content.decode()
    address = reverse("annotation:take_in_applicant", args=more)
    assert client.post(address, {"because": " "}).status_code == 422
    done = client.post(address, {"because": "Passed the quiz."}, follow=True).content.decode()
    assert "may calibrate" in done
    assert reverse("annotation:qualification", args=[campaign.slug, person.code]) in done
    assert "consent and confidentiality to be signed" in client.get(board).content.decode()


def test_the_applicant_sees_the_own_way_after_signing_in(
    campaign: Campaign, mara: Stranger, person: User, lead: User, client_for: ClientFor
) -> None:
    start = client_for(person).get(reverse("home")).content.decode()
    assert "Your application to" in start
    assert reverse("annotation:documents") in start
    assert reverse("annotation:training") in start
    taken_in(mara, lead)
    start = client_for(User.objects.get(pk=person.pk)).get(reverse("home")).content.decode()
    assert reverse("annotation:own_qualification", args=[campaign.slug]) in start


def test_who_has_calibrated_reads_who_goes_on(
    campaign: Campaign, mara: Stranger, person: User, lead: User, client_for: ClientFor
) -> None:
    sign_all(person)
    taken_in(mara, lead)
    client = client_for(User.objects.get(pk=person.pk))
    own = reverse("annotation:own_qualification", args=[campaign.slug])
    workbench = reverse("annotation:workbench", args=[campaign.slug])
    assert "Your calibration samples wait for you." in client.get(own).content.decode()
    assert "Before the next sample" not in client.get(workbench).content.decode()
    calibrate(campaign, person)
    assert "the lead looks at them and decides" in client.get(own).content.decode()
    page = client.get(workbench).content.decode()
    assert "The lead decides after that." in page
    assert "Your queue is empty" not in page


def test_the_board_asks_as_much_for_many_with_accounts_as_for_one(
    campaign: Campaign, mara: Stranger, person: User, lead: User
) -> None:
    few = rows_asked(campaign)
    for number in range(4):
        other = applied(campaign, f"other{number}@example.org")
        with_account(other.moved(Stage.SCREENING, lead).moved(Stage.CALIBRATION, lead))
    assert rows_asked(campaign) == few


def rows_asked(campaign: Campaign) -> int:
    with CaptureQueriesContext(connection) as asked:
        rows_of(campaign, list(applications_in(campaign, None)))
    return len(asked)


def qualify(campaign: Campaign, mara: Stranger, person: User, lead: User) -> None:
    """Let the person have all that is asked, and be decided on."""
    sign_all(person)
    train(person)
    taken_in(mara, lead)
    check_licence(person, lead, days=60)
    decided(campaign, person, lead, Outcome.PROVISIONAL)
