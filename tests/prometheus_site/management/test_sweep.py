"""The sweeper goes on: one sweep that fails is named and does not take the others' turn."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.assignment.queue import assign_next
from annotation.models import Assignment, AssignmentState
from prometheus_site.accounts.models import User
from tests.annotation.worlds import label, make_campaign


@pytest.fixture
def expired(lead: User, annotator: User, second_annotator: User) -> Assignment:
    """A lease that ran out, in a campaign whose chain has moved since the last anchor."""
    campaign = make_campaign(lead, [annotator, second_annotator])
    label(campaign, annotator, 1)
    leased = assign_next(campaign=campaign, annotator=annotator)
    assert leased is not None
    Assignment.objects.filter(pk=leased.pk).update(leased_until=timezone.now())
    return leased


def test_sweeps_everything(expired: Assignment) -> None:
    call_command("sweep")
    expired.refresh_from_db()
    assert expired.state == AssignmentState.WAITING


def test_a_sweep_that_fails_is_named_and_the_others_ran(expired: Assignment, settings: object) -> None:
    settings.SIGNING_KEY_FILE = settings.SIGNING_KEY_FILE.with_name("not-there.key")  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="These sweeps failed, see the log: anchor"):
        call_command("sweep")
    expired.refresh_from_db()
    assert expired.state == AssignmentState.WAITING
