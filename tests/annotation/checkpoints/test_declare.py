"""Looks are stored when they are declared: no plan moves them, and their error never adds up to more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.agreement.bootstrap import TAIL_SHARE
from annotation.agreement.looks import looks_of
from annotation.assignment.planning import revise_plan
from annotation.campaigns.services import change_state
from annotation.checkpoints.declaring import looks_to_declare
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.selectors import content_of, overview_of
from annotation.checkpoints.services import (
    CheckpointRefusedError,
    ask_for_end,
    declare_first_looks,
    declare_looks_anew,
    look_after_looks,
)
from annotation.models import Campaign, CampaignState, LookDeclaration, Sample
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent
from tests.annotation.checkpoints.labelled import NOT_RATABLE, agreeing, label_samples
from tests.annotation.worlds import make_campaign, make_conversations


def sizes_of(campaign: Campaign) -> list[int]:
    return [look.n_overlap_items for look in looks_of(campaign)]


def add_samples(campaign: Campaign, count: int, *, has_reply: bool = True) -> None:
    """Let samples arrive in an open campaign, and the plan follow."""
    first = campaign.samples.count() + 1
    conversations = make_conversations(count, source_name=f"more of {campaign.slug} from {first}")
    Sample.objects.bulk_create(
        Sample(
            campaign=campaign,
            conversation=conversation,
            number=number,
            window_start=0,
            window_stop=2,
            has_client_turn=True,
            has_assistant_turn=has_reply,
        )
        for number, conversation in enumerate(conversations, start=first)
    )
    revise_plan(campaign=campaign, because="samples arrived")


@pytest.mark.parametrize(
    ("n_planned", "n_complete", "spent", "sizes"),
    [
        (5000, 0, 0.0, [200, 500, 1000, 5000]),
        (5000, 0, 0.00625, [200, 500, 1000, 5000]),
        (5000, 200, 0.00625, [500, 1000, 5000]),
        (800, 210, 0.00625, [500, 800]),
        (500, 0, 0.0, [200, 500]),
        (60, 60, 0.0, []),
        (0, 0, 0.0, []),
        (5000, 300, TAIL_SHARE, []),
    ],
)
def test_only_what_is_still_to_come_is_declared(
    n_planned: int, n_complete: int, spent: float, sizes: list[int]
) -> None:
    looks = looks_to_declare(n_planned, n_complete=n_complete, spent=spent)
    assert [look.n_overlap_items for look in looks] == sizes
    assert spent + sum(look.tail for look in looks) <= TAIL_SHARE + 1e-12


def test_a_size_that_the_fastest_dimension_has_passed_is_not_declared() -> None:
    def sizes(n_planned: int, n_passed: int) -> list[int]:
        looks = looks_to_declare(n_planned, n_complete=190, n_passed=n_passed)
        return [look.n_overlap_items for look in looks]

    assert sizes(5000, 190) == [200, 500, 1000, 5000]
    assert sizes(5000, 200) == [500, 1000, 5000]
    assert sizes(200, 204) == [200], "the end is always to come while one dimension has not come to it"


def test_declared_anew_no_size_comes_back_that_one_dimension_has_passed(
    long_campaign: Campaign, lead: User
) -> None:
    def without_crisis(number: int, rater: int) -> dict[str, object]:
        return {**agreeing(0.9)(number, rater), **(NOT_RATABLE if number <= 2 else {})}

    label_samples(long_campaign, range(1, 202), without_crisis)
    assert freeze_due_looks(long_campaign) == []
    assert not overview_of(long_campaign).can_declare, "the plan is as it was"
    add_samples(long_campaign, 6)
    assert overview_of(long_campaign).can_declare
    declare_looks_anew(campaign=long_campaign, n_planned=210, declared_by=lead)
    assert sizes_of(long_campaign) == [210]


@given(st.lists(st.tuples(st.integers(1, 6000), st.integers(0, 3)), max_size=8))
def test_however_often_looks_are_declared_anew_they_spend_no_more_than_the_whole(
    declared: list[tuple[int, int]],
) -> None:
    spent, complete = 0.0, 0
    for n_planned, n_reached in declared:
        for look in looks_to_declare(n_planned, n_complete=complete, spent=spent)[:n_reached]:
            spent += look.tail
            complete = look.n_overlap_items
    assert spent <= TAIL_SHARE + 1e-12


def test_opening_a_campaign_declares_its_looks_once(
    lead: User, annotator: User, second_annotator: User
) -> None:
    campaign = make_campaign(lead, [annotator, second_annotator], samples=6)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.DRAFT)
    for state in (CampaignState.OPEN, CampaignState.CLOSED, CampaignState.OPEN):
        change_state(campaign=campaign, state=state, changed_by=lead, accepts_misfit=True)
    declaration = LookDeclaration.objects.get(campaign=campaign)
    assert (declaration.declared_by, declaration.n_planned, declaration.n_complete) == (lead, 6, 0)
    assert [(each["dimension"], each["scale"]) for each in declaration.deciding] == [
        ("crisis_intensity", "ordinal"),
        ("modality_primary", "nominal"),
        ("empathy_global", "ordinal"),
    ]
    [look] = declaration.looks.all()
    assert (look.n_overlap_items, look.error_per_side, look.is_end) == (6, TAIL_SHARE, True)


def test_a_new_plan_moves_no_look(campaign: Campaign) -> None:
    before = looks_of(campaign)
    add_samples(campaign, 3)
    look_after_looks()
    assert looks_of(campaign) == before
    assert overview_of(campaign).n_planned == 9


def test_the_lead_moves_the_end_on_record(campaign: Campaign, lead: User) -> None:
    add_samples(campaign, 3)
    declare_looks_anew(campaign=campaign, n_planned=9, declared_by=lead)
    assert sizes_of(campaign) == [9]
    assert sum(look.tail for look in looks_of(campaign)) == TAIL_SHARE
    newest = campaign.look_declarations.order_by("-number")[0]
    assert (newest.number, newest.because, newest.declared_by) == (2, "plan changed", lead)
    assert AccessEvent.objects.filter(actor=lead, action="changed", object_type="checkpoints").count() == 1


def test_a_look_with_a_report_stands_and_keeps_its_error(long_campaign: Campaign, lead: User) -> None:
    label_samples(long_campaign, range(1, 202), agreeing(0.9))
    [first] = freeze_due_looks(long_campaign)
    add_samples(long_campaign, 6)
    declare_looks_anew(campaign=long_campaign, n_planned=210, declared_by=lead)
    assert sizes_of(long_campaign) == [200, 210]
    assert looks_of(long_campaign)[0].tail == first.look.error_per_side == TAIL_SHARE / 2
    assert looks_of(long_campaign)[1].tail == TAIL_SHARE / 2
    label_samples(long_campaign, range(202, 211), agreeing(0.9))
    [second] = freeze_due_looks(long_campaign)
    notices = " ".join(content_of(second)["notices"])
    assert "declared anew" in notices
    assert "when 201 overlap items were complete" in notices


def test_what_does_not_differ_or_is_due_is_not_declared_anew(campaign: Campaign, lead: User) -> None:
    with pytest.raises(CheckpointRefusedError, match="nothing to declare"):
        declare_looks_anew(campaign=campaign, n_planned=6, declared_by=lead)
    label_samples(campaign, range(1, 7), agreeing(0.9))
    add_samples(campaign, 3)
    with pytest.raises(CheckpointRefusedError, match="one is due"):
        declare_looks_anew(campaign=campaign, n_planned=9, declared_by=lead)


def test_the_end_that_was_shown_is_the_one_declared(campaign: Campaign, lead: User) -> None:
    add_samples(campaign, 3)
    with pytest.raises(CheckpointRefusedError, match="9 overlap items now"):
        declare_looks_anew(campaign=campaign, n_planned=8, declared_by=lead)
    assert sizes_of(campaign) == [6]


def test_after_the_end_nothing_is_declared(campaign: Campaign, lead: User) -> None:
    label_samples(campaign, range(1, 7), agreeing(0.9))
    assert len(freeze_due_looks(campaign)) == 1
    add_samples(campaign, 3)
    with pytest.raises(CheckpointRefusedError, match="nothing to declare"):
        declare_looks_anew(campaign=campaign, n_planned=9, declared_by=lead)
    with pytest.raises(CheckpointRefusedError, match="looked at once"):
        ask_for_end(campaign=campaign, requested_by=lead)


def test_the_end_is_where_the_scarcest_question_ends(campaign: Campaign) -> None:
    add_samples(campaign, 4, has_reply=False)  # empathy and modality are not asked without a reply
    assert overview_of(campaign).n_planned == 6


def test_a_campaign_from_before_declares_what_it_has_not_passed(
    lead: User, annotator: User, second_annotator: User
) -> None:
    older = make_campaign(lead, [annotator, second_annotator], samples=6)
    label_samples(older, [1, 2], agreeing(1.0))
    look_after_looks()
    look_after_looks()
    declaration = LookDeclaration.objects.get(campaign=older)
    assert (declaration.declared_by, declaration.n_complete, declaration.n_planned) == (None, 2, 6)


def test_without_planned_overlap_there_is_nothing_to_declare(lead: User, annotator: User) -> None:
    alone = make_campaign(lead, [annotator], samples=3, labels_per_sample=1)
    assert declare_first_looks(campaign=alone) is None
    assert looks_of(alone) == ()
