"""What is filled in about a licence, and to decide on a person."""

import zoneinfo
from collections.abc import Sequence
from functools import cache
from typing import Any

from django import forms

from annotation.campaigns.in_words import name_of
from annotation.models import Licence, Outcome
from annotation.qualification.settling import Settled
from annotation.schemes.definition import Dimension

LEFT_OUT = "(left out)"  # no scheme has such a code


@cache
def _time_zones() -> list[tuple[str, str]]:
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")
    return [(name, name.replace("_", " ")) for name in names if not name.startswith(("Etc/", "SystemV/"))]


class LicenceForm(forms.Form):
    """A licence to practise; ``services.record_licence`` says whether it holds."""

    number = forms.CharField(
        label="Licence number", max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    jurisdiction = forms.CharField(
        max_length=80, help_text="Country, and state or province where those give licences."
    )
    expires_on = forms.DateField(
        label="Last day on which it holds", widget=forms.DateInput(attrs={"type": "date"})
    )
    time_zone = forms.ChoiceField(
        label="Time zone of the jurisdiction",
        choices=(),
        help_text="The last day ends when it ends there.",
    )

    def __init__(self, *args: Any, told: Licence | None = None, **kwargs: Any) -> None:
        if told is not None:
            kwargs["initial"] = {
                "jurisdiction": told.jurisdiction,
                "expires_on": told.expires_on.isoformat(),
                "time_zone": told.time_zone,
            }
        super().__init__(*args, **kwargs)
        choices = [("", "Choose"), *_time_zones()]
        self.fields["time_zone"].choices = choices  # type: ignore[attr-defined]


class DecisionForm(forms.Form):
    """A decision on one person, with its reason."""

    outcome = forms.ChoiceField(label="Decision", choices=Outcome.choices, widget=forms.RadioSelect)
    because = forms.CharField(
        label="Why",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="A sentence. Encrypted; read by leads of this campaign.",
    )


class ThresholdForm(forms.Form):
    """From which agreement with the settled answers a calibration counts as passed."""

    threshold = forms.FloatField(
        label="Agreement with the settled answers from which a calibration counts as passed",
        min_value=0.3,
        max_value=0.95,
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )


class SettleForm(forms.Form):
    """The settled answer to each headline question about a sample, and why."""

    def __init__(self, asked: Sequence[Dimension], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked = asked
        for dimension in asked:
            choices = [(one.code, name_of(one)) for one in dimension.categories]
            self.fields[f"answer-{dimension.key}"] = forms.ChoiceField(
                label=dimension.title,
                choices=[*choices, (LEFT_OUT, "Cannot be answered for this text; it is left out")],
                widget=forms.RadioSelect,
            )
            self.fields[f"because-{dimension.key}"] = forms.CharField(
                label=f"Why: {dimension.title.lower()}",
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 2}),
                help_text="Name the clause. Encrypted with the text.",
            )

    def settled(self) -> dict[str, Settled]:
        """Return what is settled, by dimension; call when the form is valid."""
        values = self.cleaned_data
        chosen = {one.key: values[f"answer-{one.key}"] for one in self._asked}
        return {
            key: Settled(None if answer == LEFT_OUT else answer, values[f"because-{key}"])
            for key, answer in chosen.items()
        }
