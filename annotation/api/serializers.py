"""What the API takes and gives, field by field."""

from typing import Any

from rest_framework import serializers

from annotation.assignment.queue import HANDED_OUT_AT_ONCE, IN_WORDS
from annotation.labelling.forms import ACTIVE_SECONDS_LIMIT, NOTE_LIMIT_CHARACTERS
from annotation.labelling.services import Submission
from annotation.models import Activity, FlagKind

Fields = serializers.Serializer[Any]
MOST_ACTIVE_SECONDS = 6 * 60 * 60  # of one heartbeat: a page may have been offline


class WantedFields(Fields):
    """What the caller has and wants next."""

    held = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=20,
        default=list,
        help_text="Assignments the caller holds already; they are not sent again.",
    )
    count = serializers.IntegerField(
        min_value=0, max_value=HANDED_OUT_AT_ONCE, default=1, help_text="How many more to hand out."
    )
    showing = serializers.UUIDField(
        allow_null=True, default=None, help_text="The assignment that is on the screen now."
    )
    wants_standing = serializers.BooleanField(
        default=True, help_text="Whether to count the person's own figures anew; else standing is null."
    )


class NextFields(WantedFields):
    count = serializers.IntegerField(min_value=1, max_value=HANDED_OUT_AT_ONCE, default=1)


class AnswersFields(Fields):
    answers = serializers.DictField(
        child=serializers.JSONField(),
        help_text="Per dimension of the scheme: a code, a list of codes, or true for a flag.",
    )
    note = serializers.CharField(
        max_length=NOTE_LIMIT_CHARACTERS, allow_blank=True, default="", trim_whitespace=True
    )


class SubmissionFields(AnswersFields):
    key = serializers.UUIDField(help_text="Made by the caller, once per label: sending again stores nothing.")
    guideline = serializers.UUIDField(help_text="The guideline version that was on the screen.")
    active_seconds = serializers.IntegerField(
        min_value=0, max_value=ACTIVE_SECONDS_LIMIT, allow_null=True, default=None
    )

    def submission(self) -> Submission:
        """Return the submission; call when valid."""
        given = self.validated_data
        return Submission(
            answers=given["answers"],
            key=given["key"],
            guideline_id=given["guideline"],
            note=given["note"].strip(),
            reason=given.get("reason", "").strip(),
            active_seconds=given["active_seconds"],
        )


class LabelFields(SubmissionFields, WantedFields):
    """A label, and what is wanted next."""

    count = serializers.IntegerField(min_value=0, max_value=HANDED_OUT_AT_ONCE, default=0)


class PassFields(WantedFields):
    key = serializers.UUIDField()
    count = serializers.IntegerField(min_value=0, max_value=HANDED_OUT_AT_ONCE, default=0)


class CorrectionFields(SubmissionFields):
    reason = serializers.CharField(max_length=NOTE_LIMIT_CHARACTERS, trim_whitespace=True)


class FlagFields(Fields):
    key = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=FlagKind.choices)
    words = serializers.CharField(max_length=NOTE_LIMIT_CHARACTERS, allow_blank=True, default="")


class UndoFields(Fields):
    of = serializers.UUIDField(
        allow_null=True, default=None, help_text="A label, or the assignment of a pass; else the latest."
    )


class TurnFields(Fields):
    number = serializers.IntegerField()
    role = serializers.CharField()
    text = serializers.CharField()


class TurnsFields(Fields):
    turns = TurnFields(many=True)


class DraftFields(Fields):
    answers = serializers.DictField(child=serializers.JSONField())
    note = serializers.CharField()


class CardFields(Fields):
    """One handed-out sample; ``turns`` is null while a text estimated severe is not opened."""

    assignment = serializers.UUIDField()
    number = serializers.IntegerField()
    screen_order = serializers.IntegerField()
    present = serializers.ListField(child=serializers.ChoiceField(["assistant", "client"]))
    is_severe = serializers.BooleanField()
    is_window = serializers.BooleanField()
    turns = TurnFields(many=True, allow_null=True)
    draft = DraftFields(allow_null=True)
    lease = serializers.UUIDField()
    leased_until = serializers.DateTimeField()


class StandingFields(Fields):
    """The person's own figures; times in seconds."""

    labelled = serializers.IntegerField()
    waiting = serializers.IntegerField()
    undoable = serializers.IntegerField()
    seconds_today = serializers.IntegerField()
    sitting_started_at = serializers.DateTimeField(allow_null=True)
    seconds_per_label = serializers.FloatField(allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True)
    break_after_seconds = serializers.IntegerField()


class PauseFields(Fields):
    """Why less comes than was asked for; a page that ``ends_the_day`` drops what it fetched ahead."""

    reason = serializers.ChoiceField(list(IN_WORDS))
    until = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField()
    ends_the_day = serializers.BooleanField()


class HandedFields(Fields):
    cards = CardFields(many=True)
    standing = StandingFields(allow_null=True)
    pause = PauseFields(allow_null=True)


class StoredFields(HandedFields):
    label = serializers.UUIDField()  # type: ignore[assignment]  # a field named as an option of fields
    receipt = serializers.CharField()
    saved_at = serializers.DateTimeField()
    is_replay = serializers.BooleanField()


class CorrectedFields(Fields):
    label = serializers.UUIDField()  # type: ignore[assignment]  # a field named as an option of fields
    receipt = serializers.CharField()
    saved_at = serializers.DateTimeField()


class PassedFields(HandedFields):
    passed_at = serializers.DateTimeField()


class UndoneFields(Fields):
    card = CardFields()
    standing = StandingFields()


class FlaggedFields(Fields):
    flagged_at = serializers.DateTimeField()


class HeartbeatFields(Fields):
    """Active time since the page's last heartbeat that was answered."""

    key = serializers.UUIDField(
        help_text="Made by the caller, once per heartbeat: sending again counts once."
    )
    active_seconds = serializers.IntegerField(min_value=1, max_value=MOST_ACTIVE_SECONDS)
    activity = serializers.ChoiceField(choices=Activity.choices, default=Activity.LABELLING)


class CountedFields(Fields):
    counted_seconds = serializers.FloatField(help_text="Never more than passed since the last heartbeat.")


class HoursFields(Fields):
    """What counts of the person's time, in the campaign's own days and months."""

    seconds_today = serializers.IntegerField()
    seconds_this_month = serializers.IntegerField()


class LeftFields(Fields):
    left_at = serializers.DateTimeField()


class ConflictFields(Fields):
    """What the person did does not fit what is stored by now: 409. A program stops and asks."""

    detail = serializers.CharField()
    code = serializers.CharField()


class RefusedFields(ConflictFields):
    """What was sent cannot be stored as it is: 422. ``errors`` has a sentence per field."""

    errors = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]


class ProgressFields(Fields):
    standing = StandingFields()
