"""What a clinician does with a sample beside labelling it: pass, flag, uncover, keep a draft, undo, leave."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from annotation.assignment import queue, sittings
from annotation.labelling import drafts
from annotation.labelling.services import (
    AlreadyLabelledError,
    CampaignClosedError,
    KeyReusedError,
    LockedError,
    NotYoursError,
    RestFirstError,
    clinician_scope,
    undo_label,
    was_sent,
)
from annotation.models import (
    QUEUED_STATES,
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Draft,
    FlagKind,
    Label,
    Pass,
    SampleFlag,
)
from annotation.wellbeing import exposure
from annotation.wellbeing.policy import REST_AFTER_SEVERE_MINUTES
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access
from prometheus_site.core import sealing


@dataclass(frozen=True)
class UndoneLabel:
    """A label that can still be undone, or a pass that can still be taken back; one of the two is set."""

    label: Label | None = None
    passed: Pass | None = None


def pass_sample(*, annotator: User, assignment: Assignment, key: uuid.UUID) -> Pass:
    """Let the sample go without a label and without a reason; a repeated request changes nothing.

    A draft stays until the sitting ends: the pass may be taken back.

    Raises NotYoursError when the sample is not the person's to label any more.
    """
    with transaction.atomic():
        sitting = sittings.touch(campaign_id=assignment.campaign_id, annotator=annotator)
        stored = Pass.objects.filter(idempotency_key=key).first()
        if stored is not None:
            _refuse_other_use(stored.assignment_id, assignment)
            if stored.taken_back_at is not None:
                raise KeyReusedError("This pass was taken back since. Pass again with a new key.")
            return stored
        slot = _lock_unlabelled(assignment, annotator)
        if slot.campaign.state != CampaignState.OPEN:
            raise CampaignClosedError("The campaign is closed. Ask the lead.")
        slot.state, slot.lease_id, slot.leased_until = AssignmentState.PASSED, None, None
        slot.save(update_fields=["state", "lease_id", "leased_until"])
        newest = Label.objects.own(annotator).aggregate(at=Max("created_at"))["at"]
        at = sittings.moment_of_deed(sitting, newest)
        sittings.note_deed(sitting, at)
        return Pass.objects.create(assignment=slot, idempotency_key=key, created_at=at)


def keep_draft(*, annotator: User, assignment: Assignment, answers: Mapping[str, object], note: str) -> Draft:
    """Keep what was answered so far, encrypted: also when the campaign has closed meanwhile.

    Raises NotYoursError when there is nothing left to label.
    """
    with transaction.atomic():
        sittings.touch(campaign_id=assignment.campaign_id, annotator=annotator)
        slot = _lock_unlabelled(assignment, annotator)
        return drafts.write(slot.pk, scope=clinician_scope(annotator), answers=answers, note=note)


def flag_sample(
    *, annotator: User, assignment: Assignment, kind: FlagKind, words: str, key: uuid.UUID
) -> SampleFlag:
    """Tell the lead that something is wrong with the sample itself; a repeated request adds nothing."""
    with transaction.atomic():
        sittings.touch(campaign_id=assignment.campaign_id, annotator=annotator)
        stored: SampleFlag | None = SampleFlag.objects.filter(idempotency_key=key).first()
        if stored is not None:
            _refuse_other_use(stored.assignment_id, assignment)
            return stored
        sealed = sealing.seal(words.strip(), clinician_scope(annotator)) if words.strip() else None
        made: SampleFlag = SampleFlag.objects.create(
            assignment=assignment, annotator=annotator, kind=kind, words=sealed, idempotency_key=key
        )
        return made


def uncover(*, annotator: User, assignment: Assignment) -> None:
    """Note that the person opened a text estimated severe: from now on it was read.

    Raises NotYoursError for a sample that is not, and was not, on the person's screen, also for one that the
    gate keeps back and the person has not read, and RestFirstError where another severe text was just read,
    in whichever campaign, or the person's limits are reached.
    """
    with transaction.atomic():
        sittings.touch(campaign_id=assignment.campaign_id, annotator=annotator)
        handed = Q(state__in=[AssignmentState.LEASED, AssignmentState.LABELLED])
        was_there = handed | Q(state=AssignmentState.WAITING, first_shown_at__isnull=False)
        readable = Assignment.objects.visible_to(annotator).readable_by(annotator)
        slot = readable.filter(was_there, pk=assignment.pk)
        if not slot.exists():
            raise NotYoursError("This sample is not on your screen now. Reload the page.")
        if slot.filter(opened_at__isnull=True, sample__is_estimated_severe=True).exists():
            _refuse_beyond_care(annotator, assignment)
            exposure.note_opened(annotator, assignment.pk)
        Assignment.objects.filter(pk=assignment.pk, opened_at__isnull=True).update(opened_at=timezone.now())
        Assignment.objects.filter(pk=assignment.pk, first_shown_at__isnull=True).update(
            first_shown_at=timezone.now()
        )
        record_access(
            actor=annotator, action=Action.VIEWED, obj_type="sample", obj_id=str(assignment.sample_id)
        )


def _refuse_beyond_care(annotator: User, assignment: Assignment) -> None:
    care = exposure.care_of(annotator, assignment.campaign_id)
    if not care.has_room_to_open:
        raise RestFirstError(
            "You have read as many severe texts as your limits allow. Pass this one, or leave: it waits."
        )
    if exposure.severe_just_read_at(annotator, assignment.pk):
        raise RestFirstError(
            "The last text you read was severe, too. Label another one first, or take a pause of "
            f"{REST_AFTER_SEVERE_MINUTES} minutes; this one stays here."
        )


def undo_last(*, annotator: User, campaign: Campaign, of: uuid.UUID | None = None) -> Assignment:
    """Take back the person's latest label or pass, or the named label or passed assignment, before it locks.

    Its sample is on screen again, with the answers as a draft. Asking twice for the same one changes nothing
    more. Raises LockedError.
    """
    with transaction.atomic():
        sittings.touch(campaign_id=campaign.pk, annotator=annotator)
        if Campaign.objects.get(pk=campaign.pk).state != CampaignState.OPEN:
            raise LockedError("The campaign is closed: nothing can be undone. Ask the lead.")
        again = _undone_before(annotator, campaign, of)
        if again is not None:
            return again
        latest = _latest_undoable(annotator, campaign, of)
        if latest.label is not None:
            undo_label(annotator=annotator, label=latest.label)
            return latest.label.assignment
        if latest.passed is not None:
            return _take_back(annotator, latest.passed)
        raise LockedError("There is nothing to undo: everything you labelled before is locked.")


def leave(*, annotator: User, campaign: Campaign) -> None:
    """End the sitting at once: labels lock, samples on screen go back to the queue, drafts stay."""
    with transaction.atomic():
        sittings.end(campaign=campaign, annotator=annotator)
        queue.give_back(campaign=campaign, annotator=annotator)


def _refuse_other_use(used_for: uuid.UUID, assignment: Assignment) -> None:
    if used_for != assignment.pk:
        raise KeyReusedError("This key was used for another sample already. Reload the page.")


def _lock_unlabelled(assignment: Assignment, annotator: User) -> Assignment:
    rows = Assignment.objects.visible_to(annotator).filter(pk=assignment.pk).select_related("campaign")
    slot = rows.select_for_update(of=("self",)).first()
    if slot is None:
        raise NotYoursError("You are no longer in this campaign. Ask the lead.")
    if slot.state == AssignmentState.LABELLED:
        raise AlreadyLabelledError("You have labelled this sample already. Undo or correct your label.")
    was_read = slot.state == AssignmentState.WITHDRAWN and (
        slot.first_shown_at is not None or was_sent(slot.sample_id, annotator)
    )
    if slot.state not in QUEUED_STATES and not was_read:
        raise NotYoursError("This sample is no longer yours to label. Go on to the next.")
    return slot


def _undone_before(annotator: User, campaign: Campaign, of: uuid.UUID | None) -> Assignment | None:
    """Return the slot of a label that was undone already and is still on screen: the answer was lost."""
    own = Assignment.objects.filter(annotator=annotator, campaign=campaign, state=AssignmentState.LEASED)
    undone = Q(labels=of, labels__undo__isnull=False, labels__superseded_by=None)
    taken_back = Q(pk=of, passes__taken_back_at__isnull=False)
    return own.filter(undone | taken_back).first() if of is not None else None


def _latest_undoable(annotator: User, campaign: Campaign, of: uuid.UUID | None) -> UndoneLabel:
    labels = Label.objects.filter(
        annotator=annotator, campaign=campaign, reason=None, undo=None, lock=None, superseded_by=None
    )
    passes = Pass.objects.filter(
        assignment__annotator=annotator,
        assignment__campaign=campaign,
        taken_back_at=None,
        assignment__state=AssignmentState.PASSED,
        assignment__campaign__sittings__annotator=annotator,
        assignment__campaign__sittings__ended_at=None,
        created_at__gte=F("assignment__campaign__sittings__started_at"),
    )
    if of is not None:
        labels, passes = labels.filter(pk=of), passes.filter(assignment=of)
    label, passed = (
        labels.select_related("assignment", "note__data_key").order_by("-created_at").first(),
        passes.order_by("-created_at").first(),
    )
    if label and passed:
        return UndoneLabel(label) if label.created_at > passed.created_at else UndoneLabel(passed=passed)
    return UndoneLabel(label, passed)


def _take_back(annotator: User, passed: Pass) -> Assignment:
    slot = Assignment.objects.select_for_update().get(pk=passed.assignment_id, annotator=annotator)
    Pass.objects.filter(pk=passed.pk).update(taken_back_at=timezone.now())
    queue.put_on_screen(slot.pk)
    return slot
