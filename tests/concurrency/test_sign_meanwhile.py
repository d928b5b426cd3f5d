"""Documents are signed while others are published, decisions are made, and the same is signed elsewhere."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from annotation.agreements.services import DocumentRefusedError, publish, sign
from annotation.campaigns.services import create_campaign
from annotation.models import Campaign, CampaignMember, DocumentKind, DocumentVersion, Outcome, Signature
from annotation.qualification.facts import documents_in_force, facts_of
from annotation.qualification.gate import admission_of
from annotation.qualification.services import decide
from annotation.recruitment.advance import move_by_hand
from annotation.recruitment.stages import Stage
from annotation.recruitment.taking_in import take_in
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from tests import people
from tests.annotation.qualification.stages import check_licence, invite_to_calibrate, sign_all, train
from tests.annotation.recruitment.applying import Stranger, recruit
from tests.annotation.recruitment.hired import passed_quiz, with_account
from tests.concurrency.crowd import Doing, HeldOpen, at_once, wait_until_it_waits

pytestmark = pytest.mark.concurrency


@pytest.fixture
def newcomer(campaign: Campaign) -> User:
    person = people.make("newcomer", Role.ANNOTATOR)
    CampaignMember.objects.create(campaign=campaign, user=person)
    return person


@pytest.fixture
def mara(campaign: Campaign, lead: User) -> Stranger:
    recruit(campaign, lead)
    return passed_quiz(campaign, lead)


def signing(person: User, document: DocumentVersion) -> Callable[[], object]:
    return partial(sign, document=document, sha256=document.sha256, signer=person, confirmed_by="password")


def publishing(lead: User, version: str = "2.0") -> Callable[[], object]:
    return partial(
        publish, kind=DocumentKind.CONSENT, version=version, body=f"# New {version}\n", published_by=lead
    )


def inviting(campaign: Campaign, person: User, lead: User) -> Callable[[], object]:
    return partial(
        decide,
        campaign=campaign,
        clinician=person,
        outcome=Outcome.CALIBRATE,
        because="Passed the quiz.",
        decided_by=lead,
    )


def is_gate_in_step(campaign: Campaign, person: User) -> bool:
    """Say whether the gate's row is what stands about the person."""
    [facts] = facts_of(campaign, [person.pk]).values()
    admitted, row = admission_of(facts), campaign.admissions.filter(clinician=person).first()
    if admitted is None or row is None:
        return admitted is None and row is None
    return vars(admitted) == {name: getattr(row, name) for name in vars(admitted)}


def documents() -> Mapping[str, DocumentVersion]:
    return documents_in_force()


def test_two_tabs_that_sign_at_once_sign_once(campaign: Campaign, newcomer: User) -> None:
    for document in documents().values():
        outcomes = at_once(*[signing(newcomer, document)] * 3)
        assert [one.refusal for one in outcomes] == [None] * 3
        assert len({one.answer.pk for one in outcomes}) == 1
    assert Signature.objects.filter(signer=newcomer).count() == len(DocumentKind)


def test_two_documents_signed_at_once_move_the_application_past_both(
    campaign: Campaign, mara: Stranger, lead: User
) -> None:
    person = with_account(mara)
    for to in (Stage.LICENCE_CHECKED, Stage.OFFERED):
        move_by_hand(application=mara.application, to=to, by=lead, why="It fits.")
    outcomes = at_once(*(signing(person, document) for document in documents().values()))
    assert [one.refusal for one in outcomes] == [None] * len(DocumentKind)
    assert mara.application.stage == Stage.TRAINING
    numbers = list(mara.application.events.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_version_published_in_this_moment_is_what_is_signed_or_it_is_asked_for(
    campaign: Campaign, newcomer: User, lead: User
) -> None:
    """Whoever is first: the gate holds the person until the newest version is signed."""
    invite_to_calibrate(campaign, newcomer)
    sign_all(newcomer, "confidentiality")
    shown = documents()["consent"]
    published = HeldOpen(publishing(lead))
    signs = Doing(signing(newcomer, shown))
    wait_until_it_waits(signs)
    published.commit()
    assert isinstance(signs.result().refusal, DocumentRefusedError)
    assert campaign.admissions.get(clinician=newcomer).is_held
    signed = HeldOpen(signing(newcomer, documents()["consent"]))
    publishes = Doing(publishing(lead, "3.0"))
    wait_until_it_waits(publishes)
    signed.commit()
    assert publishes.result().refusal is None
    assert campaign.admissions.get(clinician=newcomer).is_held
    assert is_gate_in_step(campaign, newcomer)


def test_the_first_decision_and_the_signature_it_asks_for_see_each_other(
    campaign: Campaign, newcomer: User, lead: User
) -> None:
    sign_all(newcomer, "confidentiality")
    signed = HeldOpen(signing(newcomer, documents()["consent"]))
    invited = Doing(inviting(campaign, newcomer, lead))
    wait_until_it_waits(invited)
    signed.commit()
    assert invited.result().refusal is None
    assert not campaign.admissions.get(clinician=newcomer).is_held
    assert is_gate_in_step(campaign, newcomer)


def test_the_first_decision_of_a_campaign_and_a_new_version_see_each_other(
    newcomer: User, lead: User
) -> None:
    campaign = create_campaign(name="New", slug="new", created_by=lead)
    CampaignMember.objects.create(campaign=campaign, user=newcomer)
    sign_all(newcomer, "consent", "confidentiality")
    invited = HeldOpen(inviting(campaign, newcomer, lead))
    publishes = Doing(publishing(lead))
    wait_until_it_waits(publishes)
    invited.commit()
    assert publishes.result().refusal is None
    assert campaign.admissions.get(clinician=newcomer).is_held


def test_everything_at_once_loses_nothing(campaign: Campaign, mara: Stranger, lead: User) -> None:
    person, other = with_account(mara), people.make("other-lead", Role.LEAD)
    outcomes = at_once(
        *(signing(person, document) for document in documents().values()),
        partial(train, person),
        partial(take_in, application=mara.application, by=lead, why="Passed the quiz."),
        partial(take_in, application=mara.application, by=other, why="Passed the quiz."),
        partial(check_licence, person, lead, days=60),
    )
    assert [one.refusal for one in outcomes] == [None] * len(outcomes)
    assert campaign.members.filter(user=person, left_at__isnull=True).count() == 1
    assert campaign.qualification_decisions.filter(clinician=person).count() == 1
    assert is_gate_in_step(campaign, person)
    assert not campaign.admissions.get(clinician=person).is_held
    decide(
        campaign=campaign,
        clinician=person,
        outcome=Outcome.PROVISIONAL,
        because="All of it is there.",
        decided_by=lead,
    )
    assert mara.application.stage == Stage.ACTIVE
