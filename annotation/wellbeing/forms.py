"""What a clinician fills in on the page of care."""

from typing import Any

from django import forms

from annotation.models import CareLimits
from annotation.wellbeing import policy
from prometheus_site.core.time_zones import choosable

MOODS = [
    ("5", "Well"),
    ("4", "Rather well"),
    ("3", "Neither well nor badly"),
    ("2", "Strained"),
    ("1", "Badly"),
]
WORDS_LIMIT_CHARACTERS = 2000


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The person's own limits: as the site's, or lower."""

    minutes_per_day = forms.IntegerField(
        label="Minutes a day",
        min_value=policy.SHORTEST_DAY_MINUTES,
        max_value=policy.MINUTES_PER_DAY,
        help_text="Then nothing new comes before tomorrow. What is on your screen can be finished.",
    )
    severe_per_day = forms.IntegerField(
        label="Severe texts a day",
        min_value=0,
        max_value=policy.SEVERE_PER_DAY,
        help_text="A text that you judge act now counts twice. With 0, no severe text comes at all.",
    )
    severe_per_sitting = forms.IntegerField(
        label="Severe texts a sitting",
        min_value=0,
        max_value=policy.SEVERE_PER_SITTING,
        help_text=f"A sitting ends {policy.REST_AFTER_SEVERE_MINUTES} minutes after you leave.",
    )
    break_after_minutes = forms.IntegerField(
        label="Minutes until a break is proposed",
        min_value=policy.SHORTEST_STRETCH_MINUTES,
        max_value=policy.BREAK_AFTER_MINUTES,
        help_text="Between two samples, never within one.",
    )
    time_zone = forms.ChoiceField(
        label="Your time zone", choices=lambda: [(name, name.replace("_", " ")) for name in choosable()]
    )

    class Meta:
        model = CareLimits
        fields = [
            "minutes_per_day",
            "severe_per_day",
            "severe_per_sitting",
            "break_after_minutes",
            "time_zone",
        ]


class OptOutForm(forms.Form):
    """A topic that is not to come any more."""

    topic = forms.ChoiceField(label="Topic")

    def __init__(self, *args: Any, topics: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["topic"].choices = [(topic, topic) for topic in topics]  # type: ignore[attr-defined]


class CheckInForm(forms.Form):
    """How the person is, this week."""

    mood = forms.ChoiceField(label="How are you with this work?", choices=MOODS, widget=forms.RadioSelect)
    words = forms.CharField(
        label="In your own words",
        required=False,
        max_length=WORDS_LIMIT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Encrypted under your own key. Nobody but you can open it: no lead, no export.",
    )


class SupportContactsForm(forms.Form):
    """The contacts of one language."""

    language = forms.RegexField(
        label="Language",
        regex=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$",
        max_length=12,
        help_text="As browsers say it, in small letters: en, en-gb, de.",
    )
    lines = forms.CharField(
        label="Contacts, one a line",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Say who it is, how to reach them and when. Leave empty to show the shipped ones again.",
    )
