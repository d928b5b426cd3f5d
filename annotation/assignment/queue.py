"""Hand out the slots of a clinician's queue under a lease, and take them back."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from annotation.assignment import sittings
from annotation.assignment.handed_rows import handed_rows
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Sitting
from annotation.wellbeing.exposure import Care, care_of
from annotation.wellbeing.policy import REST_AFTER_SEVERE_MINUTES, Stop
from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

LEASE_MINUTES = 30
HANDED_OUT_AT_ONCE = 3  # the sample on screen and two ahead
ONLY_SEVERE_LEFT, NOT_ADMITTED = "only_severe_left", "not_admitted"
IN_WORDS = {
    ONLY_SEVERE_LEFT: (
        "Only samples estimated severe are left, and two never follow each other. Take a pause; the next one "
        f"comes {REST_AFTER_SEVERE_MINUTES} minutes after the last."
    ),
    NOT_ADMITTED: (
        "Samples go to qualified clinicians with a valid licence who have signed the current documents. Your "
        "qualification page says what is missing."
    ),
    Stop.DAY_IS_OVER: (
        "You have worked as long today as one day allows. Thank you. What you saved is saved; the rest waits "
        "for you tomorrow."
    ),
    Stop.SEVERE_OF_DAY: (
        "Only samples estimated severe are left, and you have read as many today as one day allows. They "
        "wait for you tomorrow."
    ),
    Stop.SEVERE_OF_SITTING: (
        "Only samples estimated severe are left, and you have read as many as one sitting allows. Leave for "
        f"a while: they come again {REST_AFTER_SEVERE_MINUTES} minutes after you left."
    ),
}

# What the person may be given: true for everything, false for calibration samples only, no row for nothing.
GATE = """
gate AS MATERIALIZED (
    SELECT NOT campaign.requires_qualification OR admitted.covers_all AS covers_all
    FROM annotation_campaign AS campaign
    LEFT JOIN annotation_admission AS admitted
        ON admitted.campaign_id = campaign.id AND admitted.clinician_id = %(annotator)s
       AND NOT admitted.is_held AND (admitted.valid_until IS NULL OR admitted.valid_until > %(now)s)
    WHERE campaign.id = %(campaign)s AND (NOT campaign.requires_qualification OR admitted.id IS NOT NULL)
)
"""
# Whether the source of a queued sample was not withdrawn. A question of its own for each: were it a join,
# a kept plan might begin with all conversations.
HAS_TEXT = """(
              SELECT source.withdrawn_at IS NULL
              FROM annotation_sample AS sample
              JOIN datasets_app_conversation AS conversation ON conversation.id = sample.conversation_id
              JOIN datasets_app_source AS source ON source.id = conversation.source_id
              WHERE sample.id = queued.sample_id)"""
# The next sample of one person: what is handed out already and not held first; then the queue in order, no
# severe sample behind another; then, after a pause, with one. By the partial indexes on both. The sitting's
# row is locked by then, so that two tabs of one person take turns; SKIP LOCKED passes by what a change of the
# plan holds. Nobody who has opened the labels gets any.
LEASE_ONE = f"""
WITH {GATE}, last AS (
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
        SELECT queued.id
        FROM annotation_assignment AS queued
        WHERE queued.campaign_id = %(campaign)s AND queued.annotator_id = %(annotator)s
          AND queued.state = 'leased' AND queued.id <> ALL(%(held)s::uuid[])
          AND {HAS_TEXT}
          AND (SELECT gate.covers_all OR queued.purpose = 'calibration' FROM gate)
        ORDER BY queued.screen_order
        LIMIT 1
    ),
    (
        SELECT queued.id
        FROM annotation_assignment AS queued
        WHERE queued.campaign_id = %(campaign)s AND queued.annotator_id = %(annotator)s
          AND queued.state = 'waiting' AND queued.id <> ALL(%(held)s::uuid[])
          AND {HAS_TEXT}
          AND (SELECT gate.covers_all OR queued.purpose = 'calibration' FROM gate)
          AND (%(severe)s AND (SELECT after_other FROM calm) OR NOT (
              SELECT sample.is_estimated_severe FROM annotation_sample AS sample
              WHERE sample.id = queued.sample_id))
        ORDER BY queued.position
        LIMIT 1
        FOR UPDATE OF queued SKIP LOCKED
    ),
    (
        SELECT queued.id
        FROM annotation_assignment AS queued
        WHERE queued.campaign_id = %(campaign)s AND queued.annotator_id = %(annotator)s
          AND queued.state = 'waiting' AND queued.id <> ALL(%(held)s::uuid[])
          AND {HAS_TEXT}
          AND (SELECT gate.covers_all OR queued.purpose = 'calibration' FROM gate)
          AND %(severe)s AND (SELECT after_rest FROM calm)
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
RETURNING slot.id, (SELECT is_estimated_severe FROM annotation_sample WHERE id = slot.sample_id)
"""  # noqa: S608  the gate is the one above
# Whether a slot that is named is the person's own: compared so that no index answers it. With old statistics
# a plan might otherwise read the whole campaign of the person to find one row.
IS_OWN = "(slot.campaign_id, slot.annotator_id) IS NOT DISTINCT FROM (%(campaign)s, %(annotator)s)"
# What the person's page says it holds stays handed out, in the order of the page; a lease that ran out while
# the page slept begins anew, before anything else is put behind it.
RENEW = f"""
WITH {GATE}, held AS (
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
WHERE slot.id = ANY(%(held)s::uuid[]) AND slot.id = held.id AND {IS_OWN}
  AND CASE slot.state WHEN 'waiting' THEN TRUE WHEN 'leased' THEN slot.leased_until < %(soon)s ELSE FALSE END
  AND (SELECT gate.covers_all OR slot.purpose = 'calibration' FROM gate)
"""  # noqa: S608  the gate is the one above
# Also a slot whose lease ran out meanwhile: a page may have slept for an hour.
MARK_SHOWN = f"""
UPDATE annotation_assignment AS slot SET first_shown_at = %(now)s
WHERE slot.id = %(slot)s AND {IS_OWN} AND slot.first_shown_at IS NULL
  AND slot.state IN ('waiting', 'leased', 'withdrawn')
"""  # noqa: S608


class CampaignNotOpenError(Exception):
    """The campaign takes no labels now."""


@dataclass(frozen=True)
class Pause:
    """Why less comes than was asked for, and from when on more may come: None where no time will help."""

    reason: str
    until: datetime | None = None

    @property
    def detail(self) -> str:
        """The reason in words, for the person."""
        return IN_WORDS[self.reason]

    @property
    def ends_the_day(self) -> bool:
        """Whether the person is to read nothing more today but what is on the screen."""
        return self.reason == Stop.DAY_IS_OVER


@dataclass(frozen=True)
class Handed:
    """What a person gets: samples in screen order, and why no more."""

    slots: tuple[Assignment, ...] = ()
    pause: Pause | None = None


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

    Never two estimated severe in a row, and none beyond the person's limits of care: where only such are
    left, the next one comes after a pause. Nothing more when the person's day is over. Where the campaign
    requires a qualification, only what the person is admitted to. A save in the same transaction gives the
    ``sitting`` that it has locked. Raises CampaignNotOpenError when the campaign takes no labels.
    """
    refuse_closed(campaign)
    chosen: list[uuid.UUID] = []
    with transaction.atomic(savepoint=False):
        if sitting is None:
            sittings.touch(campaign_id=campaign.pk, annotator=annotator)
        if held:
            _renew(campaign, annotator, held)
        care = care_of(annotator, campaign.pk)
        if care.stop == Stop.DAY_IS_OVER:
            _release(campaign=campaign, annotator=annotator, first_shown_at__isnull=True)
            return Handed(pause=_pause(care, Stop.DAY_IS_OVER))
        room = care.severe_room
        while len(chosen) < count:
            found = _lease_one(campaign, annotator, [*held, *chosen], takes_severe=room > 0)
            if found is None:
                break
            slot_id, is_severe = found
            chosen.append(slot_id)
            room -= is_severe
        slots = handed_rows(chosen)
        return Handed(slots, pause_of(campaign, annotator) if len(chosen) < count else None)


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
    named: dict[str, uuid.UUID | datetime] = {
        "now": timezone.now(),
        "slot": assignment_id,
        "campaign": campaign.pk,
        "annotator": annotator.pk,
    }
    with prepared.executed(MARK_SHOWN, named):
        pass


def _lease_one(
    campaign: Campaign, annotator: User, held: Sequence[uuid.UUID], *, takes_severe: bool
) -> tuple[uuid.UUID, bool] | None:
    now = timezone.now()
    named: dict[str, uuid.UUID | datetime | bool | list[uuid.UUID]] = {
        "lease": uuid.uuid4(),
        "now": now,
        "until": now + timedelta(minutes=LEASE_MINUTES),
        "rested_before": now - timedelta(minutes=REST_AFTER_SEVERE_MINUTES),
        "campaign": campaign.pk,
        "annotator": annotator.pk,
        "held": list(held),
        "severe": takes_severe,
    }
    row = prepared.one_row(LEASE_ONE, named)
    return (row[0], row[1]) if row else None


def _renew(campaign: Campaign, annotator: User, held: Collection[uuid.UUID]) -> None:
    now = timezone.now()
    named: dict[str, uuid.UUID | datetime | list[uuid.UUID]] = {
        "held": list(held),
        "campaign": campaign.pk,
        "annotator": annotator.pk,
        "now": now,
        "until": now + timedelta(minutes=LEASE_MINUTES),
        # Not with every save: a row that nobody changes costs nothing.
        "soon": now + timedelta(minutes=LEASE_MINUTES / 2),
    }
    with prepared.executed(RENEW, named):
        pass


def pause_of(campaign: Campaign, annotator: User) -> Pause | None:
    """Return why nothing more comes now though something waits; None where nothing waits or more comes."""
    if is_kept_back(campaign, annotator):
        return Pause(NOT_ADMITTED)
    care = care_of(annotator, campaign.pk)
    if care.stop == Stop.DAY_IS_OVER:
        return _pause(care, care.stop)
    own = Assignment.objects.filter(campaign=campaign, annotator=annotator)
    waiting = own.readable().admitted(annotator).filter(state=AssignmentState.WAITING)
    if not waiting.exists() or waiting.filter(sample__is_estimated_severe=False).exists():
        return None
    if care.stop:
        return _pause(care, care.stop)
    return _rest_after_severe(own)


def _pause(care: Care, stop: Stop) -> Pause:
    if stop == Stop.SEVERE_OF_SITTING:
        return Pause(stop, timezone.now() + timedelta(minutes=REST_AFTER_SEVERE_MINUTES))
    return Pause(stop, care.day_ends_at)


def _rest_after_severe(own: QuerySet[Assignment]) -> Pause | None:
    handed = own.filter(screen_order__isnull=False).order_by("-screen_order")
    last = handed.annotate(labelled_at=Max("labels__created_at")).values_list(
        "sample__is_estimated_severe", "state", "first_shown_at", "labelled_at"
    )
    for is_severe, state, *seen in last[:1]:
        if is_severe:
            now = timezone.now()
            since = now if state == AssignmentState.LEASED else max(filter(None, seen), default=now)
            return Pause(ONLY_SEVERE_LEFT, since + timedelta(minutes=REST_AFTER_SEVERE_MINUTES))
    return None


def is_kept_back(campaign: Campaign, annotator: User) -> bool:
    """Say whether the gate keeps everything from this person now."""
    return (
        campaign.requires_qualification
        and not campaign.admissions.in_force().filter(clinician=annotator).exists()
    )


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
