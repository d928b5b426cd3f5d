"""The endpoints of the labelling loop: guard, fields, service, answer."""

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response

from annotation import permissions
from annotation.api import serializers as shapes
from annotation.api.errors import RefusedError, refusals
from annotation.assignment import queue, sittings
from annotation.labelling import cards, services, unlabelled
from annotation.labelling.standing import standing_of
from annotation.models import Assignment, Campaign, CampaignState, FlagKind, Sitting
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.api.views import ApiRequest, ApiView

CONFLICT = {409: shapes.ConflictFields}
REFUSALS = CONFLICT | {422: shapes.RefusedFields}


class LabellingView(ApiView):
    """Base of what an annotator does in one campaign."""

    def refused(self, exc: Exception) -> Response | None:
        return Response(exc.body, status=exc.status_code) if isinstance(exc, RefusedError) else None

    def handle_exception(self, exc: Exception) -> Response:
        return self.refused(exc) or super().handle_exception(exc)

    def person_in(self, request: ApiRequest, slug: str) -> tuple[User, Campaign]:
        """Return the annotator and the campaign, or raise Http404.

        A page says whose it is: when somebody else has signed in meanwhile, what waits there goes out under
        nobody's name but its own person's.
        """
        page_of = request.headers.get("X-Person", request.user.code)
        if request.auth is None and page_of != request.user.code:
            raise NotAuthenticated
        annotator = permissions.holder(request.user, Role.ANNOTATOR)
        return annotator, permissions.campaign_row_for(annotator, slug)


class NextView(LabellingView):
    @extend_schema(
        request=shapes.NextFields, responses={200: shapes.HandedFields} | CONFLICT, summary="Hand out samples"
    )
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Lease the next samples of the person's queue; those leased already and not held come first."""
        annotator, campaign = self.person_in(request, slug)
        given = _valid(shapes.NextFields, request)
        with refusals():
            queue.refuse_closed(campaign)
        return Response(_go_on(annotator, campaign, given))


class LabelView(LabellingView):
    @extend_schema(
        request=shapes.LabelFields, responses={201: shapes.StoredFields} | REFUSALS, summary="Save a label"
    )
    def post(self, request: ApiRequest, slug: str, assignment_id: uuid.UUID) -> Response:
        """Store a label and hand out what is wanted next. 200 when this very one was stored before."""
        annotator, campaign = self.person_in(request, slug)
        fields = shapes.LabelFields(data=request.data)
        fields.is_valid(raise_exception=True)
        named = Assignment(pk=assignment_id, campaign=campaign)  # record_label finds and locks the real one
        # One transaction for both: what is acknowledged is stored, and it is written to the disk once.
        with refusals(), transaction.atomic():
            receipt = services.record_label(
                annotator=annotator, assignment=named, submission=fields.submission()
            )
            sitting = None if receipt.is_replay else receipt.label.sitting
            wanted = _after_saving(campaign, fields.validated_data)
            following = _go_on(annotator, campaign, wanted, sitting=sitting)
        stored = _receipt(receipt.label) | {"is_replay": receipt.is_replay}
        return Response(stored | following, status=200 if receipt.is_replay else 201)


class PassView(LabellingView):
    @extend_schema(
        request=shapes.PassFields, responses={200: shapes.PassedFields} | CONFLICT, summary="Pass a sample"
    )
    def post(self, request: ApiRequest, slug: str, assignment_id: uuid.UUID) -> Response:
        """Let a sample go, without a reason, and hand out what is wanted next."""
        annotator, campaign = self.person_in(request, slug)
        assignment = permissions.slot_for(annotator, campaign, assignment_id)
        given = _valid(shapes.PassFields, request)
        with refusals():
            passed = unlabelled.pass_sample(annotator=annotator, assignment=assignment, key=given["key"])
        following = _go_on(annotator, campaign, _after_saving(campaign, given))
        return Response({"passed_at": passed.created_at} | following)


class OpenView(LabellingView):
    @extend_schema(
        request=None, responses={200: shapes.TurnsFields} | CONFLICT, summary="Open a text estimated severe"
    )
    def post(self, request: ApiRequest, slug: str, assignment_id: uuid.UUID) -> Response:
        """Return the turns; that they were read is recorded."""
        annotator, campaign = self.person_in(request, slug)
        assignment = permissions.assignment_for(annotator, campaign, assignment_id)
        with refusals():
            unlabelled.uncover(annotator=annotator, assignment=assignment)
        return Response({"turns": cards.turns_json(assignment)})


class DraftView(LabellingView):
    @extend_schema(request=shapes.AnswersFields, responses={204: None} | CONFLICT, summary="Keep a draft")
    def put(self, request: ApiRequest, slug: str, assignment_id: uuid.UUID) -> Response:
        """Keep what was answered so far, encrypted; it is no label."""
        annotator, campaign = self.person_in(request, slug)
        assignment = permissions.slot_for(annotator, campaign, assignment_id)
        given = _valid(shapes.AnswersFields, request)
        with refusals():
            unlabelled.keep_draft(
                annotator=annotator, assignment=assignment, answers=given["answers"], note=given["note"]
            )
        return Response(status=204)


class FlagView(LabellingView):
    @extend_schema(
        request=shapes.FlagFields, responses={201: shapes.FlaggedFields} | CONFLICT, summary="Flag a sample"
    )
    def post(self, request: ApiRequest, slug: str, assignment_id: uuid.UUID) -> Response:
        """Tell the lead that something is wrong with the sample itself."""
        annotator, campaign = self.person_in(request, slug)
        assignment = permissions.slot_for(annotator, campaign, assignment_id)
        given = _valid(shapes.FlagFields, request)
        with refusals():
            flag = unlabelled.flag_sample(
                annotator=annotator,
                assignment=assignment,
                kind=FlagKind(given["kind"]),
                words=given["words"],
                key=given["key"],
            )
        flag.refresh_from_db(fields=["created_at"])
        return Response({"flagged_at": flag.created_at}, status=201)


class UndoView(LabellingView):
    @extend_schema(
        request=shapes.UndoFields,
        responses={200: shapes.UndoneFields} | CONFLICT,
        summary="Undo a label or a pass",
    )
    def post(self, request: ApiRequest, slug: str) -> Response:
        """Take back the latest label or pass before it locks; its sample is handed out again."""
        annotator, campaign = self.person_in(request, slug)
        of = _valid(shapes.UndoFields, request)["of"]
        with refusals():
            slot = unlabelled.undo_last(annotator=annotator, campaign=campaign, of=of)
        again = permissions.assignment_for(annotator, campaign, slot.pk)
        [card] = cards.cards_of([again], annotator)
        return Response({"card": card, "standing": standing_of(annotator, campaign).as_json()})


class CorrectView(LabellingView):
    @extend_schema(
        request=shapes.CorrectionFields,
        responses={201: shapes.CorrectedFields} | REFUSALS,
        summary="Correct a label",
    )
    def post(self, request: ApiRequest, slug: str, label_id: uuid.UUID) -> Response:
        """Store a correction with its reason; the corrected label stays."""
        annotator, campaign = self.person_in(request, slug)
        label = permissions.own_label_for(annotator, campaign, label_id)
        fields = shapes.CorrectionFields(data=request.data)
        fields.is_valid(raise_exception=True)
        with refusals():
            receipt = services.correct_label(annotator=annotator, label=label, submission=fields.submission())
        return Response(_receipt(receipt.label), status=200 if receipt.is_replay else 201)


class LeaveView(LabellingView):
    @extend_schema(request=None, responses=shapes.LeftFields, summary="End the sitting")
    def post(self, request: ApiRequest, slug: str) -> Response:
        """End the sitting: labels lock, samples on screen go back to the queue, drafts stay."""
        annotator, campaign = self.person_in(request, slug)
        unlabelled.leave(annotator=annotator, campaign=campaign)
        return Response({"left_at": timezone.now()})


class ProgressView(LabellingView):
    @extend_schema(responses=shapes.ProgressFields, summary="Own progress")
    def get(self, request: ApiRequest, slug: str) -> Response:
        """Return how far the person has come, at which pace, and how long today."""
        annotator, campaign = self.person_in(request, slug)
        return Response({"standing": standing_of(annotator, campaign).as_json()})


def _valid(fields: type[shapes.Fields], request: ApiRequest) -> dict[str, Any]:
    given = fields(data=request.data)
    given.is_valid(raise_exception=True)
    valid: dict[str, Any] = given.validated_data
    return valid


def _receipt(label: Any) -> dict[str, Any]:
    return {"label": label.pk, "receipt": str(label.pk)[:8], "saved_at": label.created_at}


def _after_saving(campaign: Campaign, given: dict[str, Any]) -> dict[str, Any]:
    """Want nothing more of a closed campaign: what was stored must be told, whatever comes next."""
    return given if campaign.state == CampaignState.OPEN else given | {"count": 0}


def _go_on(
    annotator: User, campaign: Campaign, given: dict[str, Any], *, sitting: Sitting | None = None
) -> dict[str, Any]:
    """Note what is on the screen and hand out what is wanted next."""
    with transaction.atomic(savepoint=False):
        if sitting is None and (given["showing"] or given["count"]):
            # The sitting before the slot, as everywhere.
            sitting = sittings.touch(campaign_id=campaign.pk, annotator=annotator)
        if given["showing"]:
            queue.mark_shown(campaign=campaign, annotator=annotator, assignment_id=given["showing"])
        handed = queue.Handed()
        if given["count"]:
            handed = queue.hand_out(
                campaign=campaign,
                annotator=annotator,
                count=given["count"],
                held=given["held"],
                sitting=sitting,
            )
        ahead = cards.cards_of(handed.slots, annotator)
    return {
        "cards": ahead,
        "standing": standing_of(annotator, campaign).as_json() if given["wants_standing"] else None,
        "pause": handed.pause and _pause(handed.pause),
    }


def _pause(pause: queue.Pause) -> dict[str, Any]:
    return {
        "reason": pause.reason,
        "until": pause.until,
        "detail": pause.detail,
        "ends_the_day": pause.ends_the_day,
    }
