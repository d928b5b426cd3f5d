"""Several workers come upon the same look at the same moment: one report, and nobody fails."""

from functools import partial

import pytest

from annotation.campaigns.services import change_state
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.services import (
    CheckpointRefusedError,
    ask_for_end,
    declare_first_looks,
    look_after_looks,
)
from annotation.models import Campaign, CampaignState, CheckpointReport, EndRequest, LookDeclaration
from prometheus_site.accounts.models import User
from tests.annotation.worlds import label
from tests.concurrency.crowd import at_once

pytestmark = pytest.mark.concurrency
WORKERS = 6


def test_looks_are_declared_once(campaign: Campaign) -> None:
    outcomes = at_once(*[look_after_looks] * WORKERS)
    assert [one.refusal for one in outcomes] == [None] * WORKERS
    assert LookDeclaration.objects.count() == 1


def test_the_end_is_asked_for_once_and_its_report_frozen_once(
    campaign: Campaign, lead: User, annotator: User, second_annotator: User
) -> None:
    declare_first_looks(campaign=campaign)
    for number in (1, 2):
        for person in (annotator, second_annotator):
            label(campaign, person, number)
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    asked = at_once(*[partial(ask_for_end, campaign=campaign, requested_by=lead)] * WORKERS)
    assert [type(one.refusal) for one in asked if one.refusal] == [CheckpointRefusedError] * (WORKERS - 1)
    assert EndRequest.objects.count() == 1

    frozen = at_once(*[partial(freeze_due_looks, campaign)] * WORKERS)
    assert [one.refusal for one in frozen] == [None] * WORKERS
    assert sorted(len(one.answer) for one in frozen) == [0] * (WORKERS - 1) + [1]
    assert CheckpointReport.objects.count() == 1
