"""Read a posted label: what the browser sent, checked for shape before the scheme checks its meaning."""

import uuid

from django import forms
from django.http import QueryDict

from annotation.labelling.presenter import FIELD_PREFIX
from annotation.labelling.services import Submission
from annotation.models import FlagKind
from annotation.schemes.definition import Scheme

NOTE_LIMIT_CHARACTERS = 4000
ACTIVE_SECONDS_LIMIT = 24 * 60 * 60


class SubmissionForm(forms.Form):
    """The fields beside the answers."""

    key = forms.UUIDField()
    guideline = forms.UUIDField()
    note = forms.CharField(required=False, max_length=NOTE_LIMIT_CHARACTERS, strip=True)
    reason = forms.CharField(required=False, max_length=NOTE_LIMIT_CHARACTERS, strip=True)
    active_seconds = forms.IntegerField(required=False, min_value=0, max_value=ACTIVE_SECONDS_LIMIT)

    def submission(self, answers: dict[str, object]) -> Submission:
        """Return the submission; call when the form is valid."""
        cleaned = self.cleaned_data
        guideline: uuid.UUID = cleaned["guideline"]
        return Submission(
            answers=answers,
            key=cleaned["key"],
            guideline_id=guideline,
            note=cleaned["note"],
            reason=cleaned["reason"],
            active_seconds=cleaned["active_seconds"],
        )


class FlagForm(forms.Form):
    """What is wrong with a sample."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.TypedChoiceField(
        label="What is wrong?", choices=FlagKind.choices, coerce=FlagKind, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label="In a few words",
        required=False,
        max_length=NOTE_LIMIT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Encrypted; the lead reads it. Name nobody.",
    )


def posted_answers(scheme: Scheme, data: QueryDict) -> dict[str, object]:
    """Return the raw answers by dimension. Names the scheme does not know are passed on to be refused."""
    several = {dimension.key for dimension in scheme.dimensions if dimension.scale == "multi"}
    answers: dict[str, object] = {}
    for field in data:
        if field.startswith(FIELD_PREFIX):
            key = field.removeprefix(FIELD_PREFIX)
            answers[key] = data.getlist(field) if key in several else data[field]
    return answers
