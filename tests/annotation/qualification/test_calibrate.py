"""Calibration: seniors label blind and settle, everybody else is held against that, and the lead decides."""

import re
import uuid
from collections.abc import Callable
from random import Random

import pytest
from django.test import Client
from django.urls import reverse

from annotation.agreement.estimates import Status
from annotation.assignment import sittings
from annotation.assignment.planning import revise_plan
from annotation.labelling.unlabelled import pass_sample, undo_last
from annotation.models import Assignment, CalibrationGold, Campaign, LabelsOpened, Outcome, Purpose, Sample
from annotation.qualification.calibration import (
    differences_of,
    gold_of,
    is_settled,
    scores_of,
)
from annotation.qualification.forms import LEFT_OUT
from annotation.qualification.scoring import Reading, score
from annotation.qualification.services import DecisionRefusedError, decide
from annotation.qualification.settling import Settled, SettlingRefusedError, settle
from annotation.schemes.definition import parse_scheme
from annotation.schemes.shipped import default_scheme
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit.models import AccessEvent
from tests import people
from tests.annotation.planned import give, make_planned_campaign
from tests.annotation.worlds import join

ClientFor = Callable[[User], Client]
HEADLINES = ("crisis_intensity", "modality_primary", "empathy_global")
GOLD = {"crisis_intensity": "0", "modality_primary": "supportive", "empathy_global": "3"}
SCHEME = parse_scheme(default_scheme())


@pytest.fixture
def seniors(database: None) -> list[User]:
    return [people.make(f"senior-{number}", Role.ANNOTATOR, Role.ADJUDICATOR) for number in (1, 2)]


@pytest.fixture
def campaign(lead: User, annotator: User, seniors: list[User]) -> Campaign:
    return make_planned_campaign(lead, [annotator, *seniors], samples=6, calibration_samples=2)


def calibrate(campaign: Campaign, person: User, **changes: object) -> None:
    own = Assignment.objects.filter(
        campaign=campaign, annotator=person, purpose=Purpose.CALIBRATION, state="waiting"
    )
    for slot in own:
        give(campaign, slot, **changes)
    sittings.end(campaign=campaign, annotator=person)


def samples_of(campaign: Campaign) -> list[Sample]:
    found = campaign.samples.filter(design_role="calibration").order_by("number")
    return list(found.select_related("conversation__source"))


def settled(**changes: str | None) -> dict[str, Settled]:
    return {key: Settled(answer, f"By the clause on {key}.") for key, answer in (GOLD | changes).items()}


def settle_all(campaign: Campaign, senior: User) -> None:
    for sample in samples_of(campaign):
        settle(sample=sample, answers=settled(), settled_by=senior)


def test_seniors_who_labelled_settle(campaign: Campaign, seniors: list[User]) -> None:
    for senior in seniors:
        calibrate(campaign, senior)
    assert not is_settled(campaign)
    settle_all(campaign, seniors[0])
    assert is_settled(campaign)
    assert {one.answer for one in gold_of(campaign).values()} == set(GOLD.values())


def test_settling_again_adds_a_row_and_the_newest_holds(campaign: Campaign, seniors: list[User]) -> None:
    for senior in seniors:
        calibrate(campaign, senior)
    settle_all(campaign, seniors[0])
    [first, _] = samples_of(campaign)
    settle(sample=first, answers={"crisis_intensity": Settled("1", "C5: past.")}, settled_by=seniors[1])
    rows = CalibrationGold.objects.filter(sample=first, dimension="crisis_intensity").order_by("place")
    assert [(row.answer, row.settled_by) for row in rows] == [("0", seniors[0]), ("1", seniors[1])]
    assert gold_of(campaign)[first.pk, "crisis_intensity"].answer == "1"


def test_one_senior_is_not_enough(campaign: Campaign, seniors: list[User]) -> None:
    calibrate(campaign, seniors[0])
    with pytest.raises(SettlingRefusedError, match="1 did so far"):
        settle(sample=samples_of(campaign)[0], answers=settled(), settled_by=seniors[0])


def test_who_still_calibrates_neither_sees_nor_settles(
    campaign: Campaign, seniors: list[User], client_for: ClientFor
) -> None:
    third = people.make("senior-3", Role.ANNOTATOR, Role.ADJUDICATOR)
    for senior in seniors:
        calibrate(campaign, senior)
    join(campaign, third)
    revise_plan(campaign=campaign, because="somebody came")
    sample = samples_of(campaign)[0]
    with pytest.raises(SettlingRefusedError, match="own calibration samples first"):
        settle(sample=sample, answers=settled(), settled_by=third)
    address = reverse("annotation:settle_sample", args=[campaign.slug, sample.number])
    assert client_for(third).get(address).status_code == 404
    assert client_for(seniors[0]).get(address).status_code == 200


def calibration_slots(campaign: Campaign, person: User) -> list[Assignment]:
    own = Assignment.objects.filter(campaign=campaign, annotator=person, purpose=Purpose.CALIBRATION)
    return list(own.order_by("position"))


def test_who_can_still_take_an_answer_or_a_pass_back_sees_no_settled_answer(
    lead: User, seniors: list[User], client_for: ClientFor
) -> None:
    third = people.make("senior-3", Role.ANNOTATOR, Role.ADJUDICATOR)
    campaign = make_planned_campaign(lead, [*seniors, third], samples=6, calibration_samples=2)
    for senior in seniors:
        calibrate(campaign, senior)
    settle_all(campaign, seniors[0])
    address = reverse("annotation:review_calibration", args=[campaign.slug, third.code])
    first, second = calibration_slots(campaign, third)
    give(campaign, first)
    sittings.end(campaign=campaign, annotator=third)
    pass_sample(annotator=third, assignment=second, key=uuid.uuid4())
    assert client_for(third).get(address).status_code == 404
    undo_last(annotator=third, campaign=campaign)
    give(campaign, second)
    assert client_for(third).get(address).status_code == 404
    sittings.end(campaign=campaign, annotator=third)
    assert client_for(third).get(address).status_code == 200


def test_a_lead_who_still_calibrates_sees_no_score(
    lead: User, seniors: list[User], client_for: ClientFor
) -> None:
    both = people.make("both", Role.ANNOTATOR, Role.LEAD)
    campaign = make_planned_campaign(lead, [*seniors, both], samples=8, calibration_samples=3)
    for senior in seniors:
        calibrate(campaign, senior)
    settle_all(campaign, seniors[0])
    slots = calibration_slots(campaign, both)

    def sees_scores() -> bool:
        addresses = [
            reverse("annotation:qualification", args=[campaign.slug, one.code]) for one in (both, seniors[0])
        ]
        return any("scores-heading" in client_for(both).get(one).content.decode() for one in addresses)

    give(campaign, slots[0])
    sittings.end(campaign=campaign, annotator=both)
    assert not sees_scores()
    give(campaign, slots[1])
    give(campaign, slots[2])
    assert not sees_scores()
    sittings.end(campaign=campaign, annotator=both)
    assert sees_scores()


def test_a_score_reads_locked_labels_only(campaign: Campaign, annotator: User, seniors: list[User]) -> None:
    for senior in seniors:
        calibrate(campaign, senior)
    settle_all(campaign, seniors[0])
    for slot in calibration_slots(campaign, annotator):
        give(campaign, slot)
    assert scores_of(campaign, annotator) == []
    sittings.end(campaign=campaign, annotator=annotator)
    assert len(scores_of(campaign, annotator)) == len(HEADLINES)


@pytest.mark.parametrize("deeds", [(False,), (True, False), (True, True, False)])
def test_a_lead_cannot_tell_a_pass_in_calibration_from_a_label(
    lead: User, annotator: User, second_annotator: User, client_for: ClientFor, deeds: tuple[bool, ...]
) -> None:
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=6, calibration_samples=3)
    for person, does_label in ((annotator, True), (second_annotator, False)):
        for slot, is_labelled in zip(calibration_slots(campaign, person), deeds, strict=False):
            if is_labelled or does_label:
                give(campaign, slot)
            else:
                pass_sample(annotator=person, assignment=slot, key=uuid.uuid4())

    def told(person: User) -> str:
        address = reverse("annotation:qualification", args=[campaign.slug, person.code])
        page = client_for(lead).get(address).content.decode()
        return page[page.index("steps-heading") : page.index("decide-heading")]

    assert told(annotator) == told(second_annotator)
    assert re.search(r"In progress|Finished", told(annotator))
    own = client_for(annotator).get(reverse("annotation:own_qualification", args=[campaign.slug]))
    assert f"{len(deeds)} of 3 samples" in own.content.decode()


def test_names_beside_codes_are_written_down(
    campaign: Campaign, lead: User, annotator: User, client_for: ClientFor
) -> None:
    for name, more in (("qualifications", []), ("qualification", [annotator.code]), ("plan", [])):
        before = AccessEvent.objects.filter(actor=lead, object_type="campaign_names").count()
        page = (
            client_for(lead).get(reverse(f"annotation:{name}", args=[campaign.slug, *more])).content.decode()
        )
        assert annotator.code in page
        assert annotator.display_name in page
        shown = AccessEvent.objects.filter(actor=lead, object_type="campaign_names")
        assert shown.count() == before + 1
        assert set(shown.values_list("object_id", flat=True)) == {str(campaign.pk)}


def test_an_annotator_or_a_lead_settles_nothing(campaign: Campaign, annotator: User, lead: User) -> None:
    calibrate(campaign, annotator)
    for person in (annotator, lead):
        with pytest.raises(SettlingRefusedError):
            settle(sample=samples_of(campaign)[0], answers=settled(), settled_by=person)


@pytest.mark.parametrize(
    "bad",
    [
        {"crisis_intensity": Settled("9", "Off the scale.")},
        {"crisis_intensity": Settled("1", "  ")},
        {"unknown": Settled("1", "Nothing.")},
    ],
)
def test_a_bad_answer_settles_nothing(
    campaign: Campaign, seniors: list[User], bad: dict[str, Settled]
) -> None:
    for senior in seniors:
        calibrate(campaign, senior)
    with pytest.raises(SettlingRefusedError):
        settle(sample=samples_of(campaign)[0], answers=settled() | bad, settled_by=seniors[0])
    assert not CalibrationGold.objects.exists()


def test_a_senior_settles_on_the_page(campaign: Campaign, seniors: list[User], client_for: ClientFor) -> None:
    for senior in seniors:
        calibrate(campaign, senior, note="2 or 3, by E3")
    sample = samples_of(campaign)[0]
    client = client_for(seniors[0])
    address = reverse("annotation:settle_sample", args=[campaign.slug, sample.number])
    page = client.get(address).content.decode()
    assert all(senior.code in page for senior in seniors)
    assert "2 or 3, by E3" in page
    assert " checked" not in page, "nothing is chosen for the senior"
    data = {f"answer-{key}": answer for key, answer in GOLD.items()}
    reasons = {f"because-{key}": "By the clause." for key in GOLD}
    assert client.post(address, reasons).status_code == 422, "an answer is needed"
    assert client.post(address, data).status_code == 422, "a reason is needed"
    left_out = {"answer-empathy_global": LEFT_OUT}
    assert client.post(address, data | reasons | left_out).status_code == 302
    settled_rows = CalibrationGold.objects.filter(sample=sample)
    assert dict(settled_rows.values_list("dimension", "answer")) == GOLD | {"empathy_global": ""}
    assert AccessEvent.objects.filter(object_type="calibration_labels", actor=seniors[0]).exists()
    assert not LabelsOpened.objects.exists(), "labels that count stay blind: none of them was shown"


def test_a_difference_stands_with_both_reasons(
    campaign: Campaign, annotator: User, seniors: list[User], client_for: ClientFor
) -> None:
    for senior in seniors:
        calibrate(campaign, senior)
    settle_all(campaign, seniors[0])
    calibrate(campaign, annotator, answers={"empathy_global": "4"}, note="It checks, I thought.")
    assert [one.dimension.key for one in differences_of(campaign, annotator)] == ["empathy_global"] * 2
    address = reverse("annotation:review_calibration", args=[campaign.slug, annotator.code])
    page = client_for(seniors[1]).get(address).content.decode()
    assert "It checks, I thought." in page
    assert "By the clause on empathy_global." in page
    assert client_for(annotator).get(address).status_code == 404


def test_few_samples_are_collecting_and_no_number(
    campaign: Campaign, annotator: User, seniors: list[User]
) -> None:
    for one in (*seniors, annotator):
        calibrate(campaign, one)
    settle_all(campaign, seniors[0])
    scores = scores_of(campaign, annotator)
    assert [one.dimension.key for one in scores] == list(HEADLINES)
    assert {one.reading for one in scores} == {Reading.COLLECTING}


def test_without_gold_there_is_no_score(campaign: Campaign, annotator: User) -> None:
    calibrate(campaign, annotator)
    assert scores_of(campaign, annotator) == []


def test_until_gold_is_settled_a_qualification_is_provisional(
    campaign: Campaign, annotator: User, seniors: list[User], lead: User
) -> None:
    def decided(outcome: Outcome) -> None:
        decide(campaign=campaign, clinician=annotator, outcome=outcome, because="So it is.", decided_by=lead)

    with pytest.raises(DecisionRefusedError, match="provisional"):
        decided(Outcome.QUALIFIED)
    decided(Outcome.PROVISIONAL)
    for senior in seniors:
        calibrate(campaign, senior)
    settle_all(campaign, seniors[0])
    decided(Outcome.QUALIFIED)


def answers(share_right: float, *, seed: int = 1, items: int = 100) -> tuple[dict, dict]:  # type: ignore[type-arg]
    """Return (given, gold) on the crisis scale, where so many answers are the gold one, else a level off."""
    chance = Random(seed)  # noqa: S311
    gold = {item: str(chance.randrange(6)) for item in range(items)}
    given = {
        item: answer if chance.random() < share_right else str((int(answer) + 3) % 6)
        for item, answer in gold.items()
    }
    return given, gold


@pytest.mark.parametrize(
    ("share", "reading"), [(1.0, Reading.ABOVE), (0.3, Reading.BELOW), (0.85, Reading.UNDECIDED)]
)
def test_the_interval_decides_and_not_the_value(share: float, reading: Reading) -> None:
    given, gold = answers(share)
    found = score(SCHEME.dimension("crisis_intensity"), given, gold, {one: one for one in gold}, 0.7)
    assert found.reading == reading, found.alpha
    if found.alpha.ci_low is not None and found.alpha.ci_high is not None:
        assert found.alpha.ci_low <= (found.alpha.value or 0) <= found.alpha.ci_high


def test_what_only_one_side_answered_does_not_count() -> None:
    given, gold = answers(0.9)
    few = {item: given[item] for item in list(given)[:40]}
    found = score(SCHEME.dimension("crisis_intensity"), few, gold, {one: one for one in gold}, 0.7)
    assert found.alpha.n_items_overlap == 40
    assert found.alpha.status is Status.COLLECTING


def test_no_variation_is_not_estimable() -> None:
    same = dict.fromkeys(range(80), "0")
    found = score(SCHEME.dimension("crisis_intensity"), same, same, {one: one for one in same}, 0.7)
    assert found.reading is Reading.NOT_ESTIMABLE
    assert found.alpha.value is None
