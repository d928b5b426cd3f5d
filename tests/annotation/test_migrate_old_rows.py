"""The labelling loop comes to a database in which people have labelled before, and nothing is lost."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from annotation.assignment.planning import revise_plan
from annotation.assignment.queue import assign_next
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    DesignRole,
    Label,
    LabelLock,
    LabelsOpened,
    LockCause,
)
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from prometheus_site.audit.services import anchor_heads, record_access
from prometheus_site.audit.verification import verify
from prometheus_site.core.privileges import changeable_append_only_tables
from tests.annotation.old_rows import old_label
from tests.annotation.planned import give, make_planned_campaign, queue_of

BEFORE = "0002_label_identity"


@dataclass(frozen=True)
class OldSite:
    campaign: Campaign
    annotator: User
    first: Label
    corrected: Label
    correction: Label
    on_screen: Assignment
    assignments: list[dict[str, object]]


def migrate(*to: str) -> None:
    call_command("migrate", "annotation", *to, verbosity=0, interactive=False, stdout=io.StringIO())


def rows() -> list[dict[str, object]]:
    fields = ("pk", "sample_id", "annotator_id", "purpose", "position", "state")
    return list(Assignment.objects.order_by("pk").values(*fields))


@pytest.fixture
def old_site(
    committed_db: str,
    settings: Settings,
    tmp_path: Path,
    lead: User,
    annotator: User,
    second_annotator: User,
    adjudicator: User,
) -> OldSite:
    """Labels, a correction, a sample on screen and opened labels of the version before, migrated since."""
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    campaign = make_planned_campaign(lead, [annotator, second_annotator], samples=8, repeat_percent=0)
    queue = queue_of(campaign, annotator)
    first, corrected = old_label(queue[0]), old_label(queue[1])
    correction = old_label(queue[1], corrects=corrected)
    # As the version before leased: shown at once, and without a place on the screen.
    now = timezone.now()
    Assignment.objects.filter(pk=queue[2].pk).update(
        state=AssignmentState.LEASED, lease_id=first.pk, leased_until=now, first_shown_at=now
    )
    campaign_id, sample_id = str(campaign.pk), str(first.sample_id)
    record_access(actor=lead, action=Action.LISTED, obj_type="campaign_labels", obj_id=campaign_id)
    record_access(actor=lead, action=Action.VIEWED, obj_type="sample_labels", obj_id=sample_id)
    record_access(actor=adjudicator, action=Action.VIEWED, obj_type="sample_labels", obj_id=sample_id)
    record_access(actor=annotator, action=Action.VIEWED, obj_type="sample", obj_id=sample_id)
    record_access(actor=None, action=Action.VIEWED, obj_type="sample_labels", obj_id=sample_id)
    before = rows()
    migrate(BEFORE)
    migrate()
    return OldSite(campaign, annotator, first, corrected, correction, queue[2], before)


def test_old_rows_come_through(old_site: OldSite, lead: User, adjudicator: User) -> None:
    """In one test, because the way down and up again takes its time."""
    assert_nothing_is_lost(old_site, lead, adjudicator)
    assert_work_goes_on(old_site)


def assert_nothing_is_lost(old_site: OldSite, lead: User, adjudicator: User) -> None:
    # Labels lock as they stood; a correction stays a correction and does not lock.
    locks = {lock.label_id: lock.cause for lock in LabelLock.objects.all()}
    assert locks == {
        old_site.first.pk: LockCause.SITTING_ENDED,
        old_site.corrected.pk: LockCause.SITTING_ENDED,
    }
    correction = Label.objects.get(pk=old_site.correction.pk)
    assert (correction.supersedes_id, correction.replaces_undone_id) == (old_site.corrected.pk, None)
    assert correction.reason_id == old_site.correction.reason_id
    counting = Label.objects.filter(campaign=old_site.campaign).counting_for_agreement()
    assert set(counting) == {old_site.first, old_site.corrected}
    # Who had opened labels is known, since when first.
    opened = {one.reader_id: one.opened_at for one in LabelsOpened.objects.all()}
    events = AccessEvent.objects.filter(object_type__in=["campaign_labels", "sample_labels"])
    assert opened == {
        person.pk: events.filter(actor=person).earliest("at").at for person in (lead, adjudicator)
    }
    # The plan is as it was, and no link is broken.
    assert rows() == old_site.assignments
    anchor_heads()
    verdict = verify()
    assert (verdict.faults, verdict.entries) == ([], 3)
    assert changeable_append_only_tables() == []


def assert_work_goes_on(old_site: OldSite) -> None:
    """What was on screen is still there; the samples get their roles and the queue its order."""
    campaign, annotator = old_site.campaign, old_site.annotator
    campaign.refresh_from_db()
    assert not campaign.requires_qualification, "what was set up before there was a gate goes on without"
    shown = assign_next(campaign=campaign, annotator=annotator)
    assert shown == old_site.on_screen
    stored = give(campaign, shown)
    assert stored.screen_order == 1
    revise_plan(campaign=campaign, because="the version before drew no roles")
    assert set(campaign.samples.values_list("design_role", flat=True)) == {DesignRole.OVERLAP}
    labelled = Assignment.objects.filter(annotator=annotator, state=AssignmentState.LABELLED)
    assert labelled.count() == 3
    assert len(queue_of(campaign, annotator)) == 5
    assert verify().holds
