"""Hand out the slots of a clinician's queue under a lease, and take them back."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from annotation.assignment import sittings
from annotation.assignment.handed_rows import handed_rows
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Sitting
from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

LEASE_MINUTES = 30
HANDED_OUT_AT_ONCE = 3  # the sample on screen and two ahead
PAUSE_AFTER_SEVERE_MINUTES = 10
ONLY_SEVERE_LEFT = (
    "Only samples estimated severe are left, and two never follow each other. Take a pause; the next one "
    f"comes {PAUSE_AFTER_SEVERE_MINUTES} minutes after the last."
)

# The next sample of one person: what is handed out already and not held first; then the queue in order, no
# severe sample behind another; then, after a pause, with one. By the partial indexes on both. The sitting's
# row is locked by then, so that two tabs of one person take turns; SKIP LOCKED passes by what a change of the
# plan holds. Nobody who has opened the labels gets any.
LEASE_ONE = """
WITH last AS (
    SELECT handed.screen_order, sample.is_estimated_severe AS is_severe, handed.state = 'leased' AS is_held,
           greatest(handed.first_shown_at, (
               SELECT max(label.created_at) FROM annotation_label AS label
               WHERE label.assignment_id = handed.id
           )) AS seen_at
    FROM annotation_assignment AS handed
    JOIN annotation_sample AS sample ON sample.id = handed.sample_id
    WHERE handed.campaign_id = %(campaign)s AND handed.annotator_id = %(annotator)s
      AND handed.screen_order IS NOT NULL
    ORDER BY handed.screen_order DESC
    LIMIT 1
), calm AS (
    SELECT NOT EXISTS (SELECT 1 FROM last WHERE last.is_severe) AS after_other,
           EXISTS (SELECT 1 FROM last
                   WHERE NOT last.is_held AND coalesce(last.seen_at <= %(rested_before)s, TRUE)) AS after_rest
)
UPDATE annotation_assignment AS slot
SET state = 'leased',
    lease_id = coalesce(slot.lease_id, %(lease)s),
    leased_until = %(until)s,
    screen_order = CASE
        WHEN slot.state = 'leased' AND slot.screen_order IS NOT NULL THEN slot.screen_order
        ELSE coalesce((SELECT screen_order FROM last), 0) + 1
    END
WHERE slot.id = coalesce(
    (
        SELECT leased.id
        FROM annotation_assignment AS leased
        JOIN annotation_sample AS sample ON sample.id = leased.sample_id
        JOIN datasets_app_conversation AS conversation ON conversation.id = sample.conversation_id
        JOIN datasets_app_source AS source ON source.id = conversation.source_id
        WHERE leased.campaign_id = %(campaign)s AND leased.annotator_id = %(annotator)s
          AND leased.state = 'leased' AND source.withdrawn_at IS NULL
          AND leased.id <> ALL(%(held)s::uuid[])
        ORDER BY leased.screen_order
        LIMIT 1
    ),
    (
        SELECT queued.id
        FROM annotation_assignment AS queued
        JOIN annotation_sample AS sample ON sample.id = queued.sample_id
        JOIN datasets_app_conversation AS conversation ON conversation.id = sample.conversation_id
        JOIN datasets_app_source AS source ON source.id = conversation.source_id
        WHERE queued.campaign_id = %(campaign)s AND queued.annotator_id = %(annotator)s
          AND queued.state = 'waiting' AND source.withdrawn_at IS NULL
          AND (NOT sample.is_estimated_severe OR (SELECT after_other FROM calm))
        ORDER BY queued.position
        LIMIT 1
        FOR UPDATE OF queued SKIP LOCKED
    ),
    (
        SELECT queued.id
        FROM annotation_assignment AS queued
        JOIN annotation_sample AS sample ON sample.id = queued.sample_id
        JOIN datasets_app_conversation AS conversation ON conversation.id = sample.conversation_id
        JOIN datasets_app_source AS source ON source.id = conversation.source_id
        WHERE queued.campaign_id = %(campaign)s AND queued.annotator_id = %(annotator)s
          AND queued.state = 'waiting' AND source.withdrawn_at IS NULL
          AND (SELECT after_rest FROM calm)
        ORDER BY queued.position
        LIMIT 1
        FOR UPDATE OF queued SKIP LOCKED
    )
)
AND NOT EXISTS (
    SELECT 1 FROM annotation_labelsopened AS opened
    WHERE opened.campaign_id = %(campaign)s AND opened.reader_id = %(annotator)s
)
AND slot.state IN ('leased', 'waiting')  -- asked again if a change of the plan had the row until now
RETURNING slot.id
"""
# What the person's page says it holds stays handed out, in the order of the page; a lease that ran out while
# the page slept begins anew, before anything else is put behind it.
RENEW = """
WITH held AS (
    SELECT id, place FROM unnest(%(held)s::uuid[]) WITH ORDINALITY AS held(id, place)
), top AS (
    SELECT coalesce(max(screen_order), 0) AS screen_order FROM annotation_assignment
    WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND screen_order IS NOT NULL
)
UPDATE annotation_assignment AS slot
SET state = 'leased',
    lease_id = coalesce(slot.lease_id, gen_random_uuid()),
    leased_until = %(until)s,
    screen_order = CASE WHEN slot.state = 'leased' THEN slot.screen_order
                        ELSE top.screen_order + held.place END
FROM held, top
WHERE slot.id = held.id AND slot.campaign_id = %(campaign)s AND slot.annotator_id = %(annotator)s
  AND (slot.state = 'waiting' OR slot.state = 'leased' AND slot.leased_until < %(soon)s)
"""
# Also a slot whose lease ran out meanwhile: a page may have slept for an hour.
MARK_SHOWN = """
UPDATE annotation_assignment SET first_shown_at = %s
WHERE id = %s AND campaign_id = %s AND annotator_id = %s AND first_shown_at IS NULL
  AND state IN ('waiting', 'leased', 'withdrawn')
"""


class CampaignNotOpenError(Exception):
    """The campaign takes no labels now."""


@dataclass(frozen=True)
class Handed:
    """What a person gets: samples in screen order, and when more may come if only severe ones are left."""

    slots: tuple[Assignment, ...] = ()
    severe_not_before: datetime | None = None


def refuse_closed(campaign: Campaign) -> None:
    """Raise CampaignNotOpenError when the campaign takes no labels."""
    if campaign.state != CampaignState.OPEN:
        raise CampaignNotOpenError(f"{campaign.name} takes no labels now. Ask the lead when it opens.")


def hand_out(
    *,
    campaign: Campaign,
    annotator: User,
    count: int = 1,
    held: Collection[uuid.UUID] = (),
    sitting: Sitting | None = None,
) -> Handed:
    """Lease up to ``count`` samples that the person does not hold yet, those on a screen already first.

    Never two estimated severe in a row: where only such are left, the next one comes after a pause. A save in
    the same transaction gives the ``sitting`` that it has locked. Raises CampaignNotOpenError when the
    campaign takes no labels.
    """
    refuse_closed(campaign)
    chosen: list[uuid.UUID] = []
    with transaction.atomic(savepoint=False):
        if sitting is None:
            sittings.touch(campaign_id=campaign.pk, annotator=annotator)
        if held:
            _renew(campaign, annotator, held)
        while len(chosen) < count:
            found = _lease_one(campaign, annotator, [*held, *chosen])
            if found is None:
                break
            chosen.append(found)
        slots = handed_rows(chosen)
        not_before = severe_not_before(campaign, annotator) if len(chosen) < count else None
    return Handed(slots, not_before)


def assign_next(*, campaign: Campaign, annotator: User) -> Assignment | None:
    """Lease the one sample to show now, the one on screen first, and note that it is shown; None at the end.

    Raises CampaignNotOpenError.
    """
    with transaction.atomic():
        handed = hand_out(campaign=campaign, annotator=annotator)
        if not handed.slots:
            return None
        mark_shown(campaign=campaign, annotator=annotator, assignment_id=handed.slots[0].pk)
        return handed.slots[0]


def mark_shown(*, campaign: Campaign, annotator: User, assignment_id: uuid.UUID) -> None:
    """Note that this sample is on the person's screen: exposure counts from what is displayed."""
    with prepared.executed(MARK_SHOWN, [timezone.now(), assignment_id, campaign.pk, annotator.pk]):
        pass


def _lease_one(campaign: Campaign, annotator: User, held: Sequence[uuid.UUID]) -> uuid.UUID | None:
    now = timezone.now()
    named: dict[str, uuid.UUID | datetime | list[uuid.UUID]] = {
        "lease": uuid.uuid4(),
        "until": now + timedelta(minutes=LEASE_MINUTES),
        "rested_before": now - timedelta(minutes=PAUSE_AFTER_SEVERE_MINUTES),
        "campaign": campaign.pk,
        "annotator": annotator.pk,
        "held": list(held),
    }
    row = prepared.one_row(LEASE_ONE, named)
    return row[0] if row else None


def _renew(campaign: Campaign, annotator: User, held: Collection[uuid.UUID]) -> None:
    named: dict[str, uuid.UUID | datetime | list[uuid.UUID]] = {
        "held": list(held),
        "campaign": campaign.pk,
        "annotator": annotator.pk,
        "until": timezone.now() + timedelta(minutes=LEASE_MINUTES),
        # Not with every save: a row that nobody changes costs nothing.
        "soon": timezone.now() + timedelta(minutes=LEASE_MINUTES / 2),
    }
    with prepared.executed(RENEW, named):
        pass


def severe_not_before(campaign: Campaign, annotator: User) -> datetime | None:
    """Return when the next sample may come where only severe ones wait and one was the last; else None."""
    own = Assignment.objects.filter(campaign=campaign, annotator=annotator)
    handed = own.filter(screen_order__isnull=False).order_by("-screen_order")
    last = handed.annotate(labelled_at=Max("labels__created_at")).values_list(
        "sample__is_estimated_severe", "state", "first_shown_at", "labelled_at"
    )
    waiting = own.readable().filter(state=AssignmentState.WAITING)
    others = waiting.filter(sample__is_estimated_severe=False)
    for is_severe, state, *seen in last[:1]:
        if is_severe and waiting.exists() and not others.exists():
            now = timezone.now()
            since = now if state == AssignmentState.LEASED else max(filter(None, seen), default=now)
            return since + timedelta(minutes=PAUSE_AFTER_SEVERE_MINUTES)
    return None


def put_on_screen(assignment_id: uuid.UUID) -> None:
    """Lease a slot again whose label or pass was taken back. Call with the slot locked."""
    Assignment.objects.filter(pk=assignment_id).update(
        state=AssignmentState.LEASED,
        lease_id=uuid.uuid4(),
        leased_until=timezone.now() + timedelta(minutes=LEASE_MINUTES),
    )


def give_back(*, campaign: Campaign, annotator: User) -> int:
    """Put what the person has on screen or fetched ahead back into the queue; return how many."""
    return _release(campaign=campaign, annotator=annotator)


def release_expired_leases() -> int:
    """Put samples that were left on a screen back into their queue; return how many."""
    now = timezone.now()
    # A person's samples come back together: one of them alone would change which follows which.
    at_work = Assignment.objects.filter(
        campaign=OuterRef("campaign"),
        annotator=OuterRef("annotator"),
        state=AssignmentState.LEASED,
        leased_until__gte=now,
    )
    return _release(~Exists(at_work), leased_until__lt=now)


def _release(*which: Any, **more: Any) -> int:
    free = {"state": AssignmentState.WAITING, "lease_id": None, "leased_until": None}
    with transaction.atomic():
        held = Assignment.objects.filter(*which, state=AssignmentState.LEASED, **more)
        # What somebody saves or a plan changes at this moment needs no release.
        free_to_go = held.select_for_update(skip_locked=True).values_list("pk", flat=True)
        leased = Assignment.objects.filter(pk__in=list(free_to_go))
        # What was only fetched ahead was never read: its place on the screen goes to what is read instead.
        leased.filter(first_shown_at__isnull=True).update(screen_order=None)
        return leased.update(**free)
