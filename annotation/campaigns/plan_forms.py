"""What a lead fills in on the plan page: the design, everybody's hours, and who rests."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from annotation.campaigns.design import DECLARED_FIELDS, Declared
from annotation.models import Campaign, CampaignMember

MOST_SAMPLES = 1_000_000
HOURS_PER_WEEK_LIMIT = 60
HOURS_FORM_ID = "hours-form"  # the fields stand in a table, among other forms' buttons


class DesignForm(forms.Form):
    """The design; the names are those of the campaign's own fields."""

    training_samples = forms.IntegerField(
        label="Training samples",
        min_value=0,
        max_value=MOST_SAMPLES,
        help_text="Read by everybody first, then discussed. No figure counts them.",
    )
    calibration_samples = forms.IntegerField(
        label="Calibration samples",
        min_value=0,
        max_value=MOST_SAMPLES,
        help_text="Read by everybody next: do all of you use the scale alike?",
    )
    anchor_samples = forms.IntegerField(
        label="Anchor samples",
        min_value=0,
        max_value=MOST_SAMPLES,
        help_text="Read by everybody, mixed among the others all the way.",
    )
    labels_per_sample = forms.IntegerField(
        label="Labels for every other sample",
        min_value=1,
        max_value=10,
        help_text="How many people label each, in balanced pairs. Agreement needs at least two.",
    )
    single_label_percent = forms.FloatField(
        label="One label only, in percent",
        min_value=0,
        max_value=100,
        help_text="Of those samples, but never of those estimated severe. Tells nothing about agreement.",
    )
    repeat_percent = forms.FloatField(
        label="Repeats, in percent",
        min_value=0,
        max_value=20,
        help_text="Of everybody's own samples, silently shown a second time.",
    )
    repeat_after_days = forms.IntegerField(
        label="Days before a repeat",
        min_value=1,
        max_value=365,
        help_text="Long enough to have forgotten: 7 or more.",
    )
    due_on = forms.DateField(
        label="Due date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Without one, the plan only says when it would be done.",
    )
    expected_seconds_per_label = forms.IntegerField(
        label="Expected seconds for a label",
        min_value=1,
        max_value=3600,
        help_text="Reading included.",
    )

    def clean_due_on(self) -> date | None:
        due_on: date | None = self.cleaned_data["due_on"]
        if due_on is not None and due_on <= timezone.localdate():
            raise forms.ValidationError("This date is not in the future. Choose a later one.")
        return due_on

    def design(self) -> Declared:
        """Return the design; call when every field is valid."""
        return Declared(**{name: self.cleaned_data[name] for name in DECLARED_FIELDS})


class AcceptForm(DesignForm):
    """The design that was shown, and whether the lead accepts that it does not fit."""

    accepts_misfit = forms.BooleanField(required=False)


class HoursForm(forms.Form):
    """The hours a week of each member, by the member's id."""

    def __init__(self, *args: Any, members: Sequence[CampaignMember], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._members = members
        for member in members:
            self.fields[_name(member)] = forms.FloatField(
                label=f"Hours a week of {member.user.code}",
                min_value=0.25,
                max_value=HOURS_PER_WEEK_LIMIT,
                initial=member.hours_per_week,
                widget=forms.NumberInput(attrs={"step": "0.25", "form": HOURS_FORM_ID}),
            )

    def rows(self) -> list[tuple[CampaignMember, forms.BoundField]]:
        """Return each member with the field of that member's hours."""
        return [(member, self[_name(member)]) for member in self._members]

    def hours(self) -> dict[int, float]:
        """Return the hours by the member's id; call when the form is valid."""
        return {member.pk: self.cleaned_data[_name(member)] for member in self._members}


class MemberForm(forms.Form):
    """Which member is meant."""

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"] = forms.ModelChoiceField(
            campaign.members.filter(left_at__isnull=True).select_related("user")
        )


def _name(member: CampaignMember) -> str:
    return f"hours_{member.pk}"
