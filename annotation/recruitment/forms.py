"""What applicants and leads fill in about recruiting."""

import unicodedata
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone

from annotation.models import Recruitment
from annotation.recruitment import licence, spam
from annotation.recruitment.answers import LONGEST, Answers
from annotation.recruitment.stages import Stage

DEGREES = [
    ("masters", "Master's degree"),
    ("doctorate", "Doctorate (PhD, PsyD, MD or the like)"),
    ("other", "Another degree that leads to a licence"),
]
SOURCES = [
    ("colleague", "A colleague"),
    ("body", "A professional body"),
    ("search", "A search"),
    ("social", "Social media"),
    ("other", "Something else"),
]
ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
)
AREA = {"rows": 4}


class StartForm(forms.Form):
    """The address, a trap and the signed time."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=LONGEST["email"],
        help_text="We send one message to confirm it, and tell you there how your application goes.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[spam.TRAP_FIELD] = forms.CharField(
            label="Leave this empty",
            required=False,
            widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
        )
        if not self.is_bound:
            self.initial["stamp"] = spam.stamp()

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get(spam.TRAP_FIELD):
            self.add_error(None, "A hidden field was filled in, as programs do. Press the button once more.")
        if problem := spam.stamp_problem(values.get("stamp", "")):
            self.add_error(None, problem)
        return values

    def again(self) -> "StartForm":
        """Return the form to show once more: the address kept, the trap empty, errors as they are."""
        data = dict(self.data.items())
        data[spam.TRAP_FIELD] = ""
        if "stamp" in data and spam.stamp_problem(data["stamp"]) not in (None, spam.TOO_FAST):
            data["stamp"] = spam.stamp()
        self.data = data
        return self


class OpenForm(forms.Form):
    email = forms.EmailField(
        label="The e-mail address you applied with", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class ApplicationForm(forms.Form):
    """What an application says. Field names are those of `answers.LONGEST`."""

    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    degree = forms.ChoiceField(label="Highest degree", choices=[("", "Choose"), *DEGREES])
    degree_detail = forms.CharField(label="In which subject, from where", max_length=200)
    licence_number = forms.CharField(
        label="Licence number",
        max_length=60,
        help_text="As it stands on your licence or in the public register.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    licence_jurisdiction = forms.CharField(
        label="Jurisdiction", max_length=100, help_text="The country or state whose authority licensed you."
    )
    licence_expires_on = forms.DateField(
        label="Licence valid until",
        help_text="The last day it is in force. Without an end, write a day ten years from now.",
        error_messages={"invalid": "Write the last day of your licence as a date, such as 2027-12-31."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    experience_years = forms.IntegerField(label="Years of clinical work", min_value=0, max_value=60)
    experience = forms.CharField(
        label="Clinical experience",
        max_length=4000,
        widget=forms.Textarea(attrs=AREA),
        help_text="Settings, groups and methods you have worked with. Nothing that could identify a client.",
    )
    crisis_training = forms.ChoiceField(
        label="Training in crisis or suicide risk",
        choices=[("", "Choose"), ("yes", "Yes"), ("no", "No, not yet")],
    )
    crisis_training_detail = forms.CharField(
        label="Which, and when", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    time_zone = forms.ChoiceField(
        label="Your time zone",
        choices=[("", "Choose"), *((zone, zone.replace("_", " ")) for zone in ZONES)],
        widget=forms.Select(attrs={"data-time-zone": True}),
    )
    hours_per_week = forms.IntegerField(label="Hours a week you could give", min_value=1, max_value=40)
    availability = forms.CharField(
        label="When",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as weekday evenings, from January on.",
    )
    statement = forms.CharField(
        label="Why you would like to do this", max_length=3000, widget=forms.Textarea(attrs={"rows": 6})
    )
    source = forms.ChoiceField(label="How you heard of us", choices=[("", "Choose"), *SOURCES])
    referral = forms.CharField(label="Who referred you", max_length=200, required=False)
    consents = forms.BooleanField(
        label="I have read what I would be reading and what happens to my data, and I apply knowing both.",
        error_messages={"required": "Read both on the campaign's page, then tick this."},
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        # It stands in e-mails: no links and no lines of its own.
        if "/" in name or any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in name):
            raise forms.ValidationError("Write your name alone, on one line, without slashes.")
        return name

    def clean_licence_number(self) -> str:
        number: str = self.cleaned_data["licence_number"]
        if problem := licence.number_problem(number):
            raise forms.ValidationError(problem)
        return number

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        expires_on: date | None = values.get("licence_expires_on")
        if expires_on is not None:
            # Today is the applicant's day: at UTC+13 it has begun before ours.
            zone = values.get("time_zone") or "UTC"
            if problem := licence.expiry_problem(expires_on, licence.local_date(timezone.now(), zone)):
                self.add_error("licence_expires_on", problem)
        return values

    def sent(self) -> Answers:
        """Return what a sent application stores; call when the form is valid."""
        stored = {name: str(value) for name, value in self.cleaned_data.items()}
        return stored | {"consents": "on"}

    @classmethod
    def typed(cls, data: Any) -> Answers:
        """Return what was typed, right or wrong, for a draft. A field that was not sent stays as it was."""
        typed = {name: str(data[name]) for name in cls.base_fields if name in data}
        return typed | ({} if "consents" in typed else {"consents": ""})


class MoveForm(forms.Form):
    """Where to, why, and where the application was when the lead looked at it."""

    seen_in = forms.ChoiceField(
        choices=[(stage.value, stage.label) for stage in Stage], widget=forms.HiddenInput
    )
    to = forms.ChoiceField(label="Move to", choices=[(stage.value, stage.label) for stage in Stage])
    why = forms.CharField(
        label="Why",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays with the move for ever, sealed. The applicant does not see it.",
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if choices is not None:
            self.fields["to"].choices = choices  # type: ignore[attr-defined]


class TakeInForm(forms.Form):
    """Why an applicant is taken in to calibrate."""

    because = forms.CharField(
        label="Why they may calibrate",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="A sentence. Encrypted; read by leads of this campaign.",
    )


class FactsForm(forms.ModelForm):  # type: ignore[type-arg]  # subscripts fail at run time
    """What the public page says, and the targets."""

    class Meta:
        model = Recruitment
        fields = (
            "what", "why", "pay", "hours", "content_warning", "data_promise",
            "target_applicants", "target_pass_percent", "target_days_to_hire",
        )  # fmt: skip
        labels = {
            "what": "What the work is",
            "why": "Why it matters",
            "pay": "Pay",
            "hours": "Hours",
            "content_warning": "What applicants would be reading",
            "data_promise": "What happens to their data",
            "target_applicants": "Applicants",
            "target_pass_percent": "Share that passes the quiz, in percent",
            "target_days_to_hire": "Days from applying to active, at most",
        }
        help_texts = {"pay": "Rate, per what, and when it is paid."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name.startswith("target_"):
                field.required = False
            else:
                field.widget.attrs["rows"] = 2 if name in ("pay", "hours") else 6
