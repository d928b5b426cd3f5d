"""What a lead fills in about pay: terms, a rate, a correction, and the month to close."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from annotation.models import Campaign, PaidRole
from annotation.pay.spans import Month
from prometheus_site.accounts.models import User
from prometheus_site.core.time_zones import choosable

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "AUD", "CAD", "DKK", "NOK", "NZD", "PLN", "SEK", "SGD", "ZAR")
MOST_PER_HOUR = Decimal(10_000)
MOST_CORRECTED = Decimal(1_000_000)
REASON_LIMIT_CHARACTERS = 500


def _amount(label: str, most: Decimal, *, least: Decimal, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, decimal_places=2, min_value=least, max_value=most, help_text=help_text
    )


class TermsForm(forms.Form):
    """What holds for all pay of the campaign."""

    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name.replace("_", " ")) for name in choosable()],
        initial="UTC",
        help_text="Days and months begin at midnight there. It stays once a month is closed.",
    )
    currency = forms.ChoiceField(
        choices=[(code, code) for code in CURRENCIES], help_text="It stays once there are amounts."
    )
    floor_per_hour = _amount(
        "Floor per hour at work",
        MOST_PER_HOUR,
        least=Decimal("0.01"),
        help_text="What an hour should bring at least, with the time at the page that is not paid.",
    )


class RateForm(forms.Form):
    """A rate from a day on."""

    role = forms.TypedChoiceField(choices=PaidRole.choices, coerce=PaidRole)
    per_hour = _amount(
        "Per hour", MOST_PER_HOUR, least=Decimal("0.01"), help_text="In the campaign's currency."
    )
    valid_from = forms.DateField(
        label="Valid from",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="A first day; earlier days keep the rate that they had.",
    )


class CorrectionForm(forms.Form):
    """An amount for a person, with a reason; its key makes it one, however often it is sent."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    person = forms.ModelChoiceField(User.objects.none())
    amount = _amount(
        "Amount",
        MOST_CORRECTED,
        least=-MOST_CORRECTED,
        help_text="With a minus sign it is taken off. It stands in this month's statement.",
    )
    reason = forms.CharField(
        max_length=REASON_LIMIT_CHARACTERS, help_text="The person reads it, with your name beside it."
    )

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["person"]
        if isinstance(people, forms.ModelChoiceField):
            people.queryset = User.objects.filter(memberships__campaign=campaign).distinct().order_by("code")

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError("An amount of 0 corrects nothing.")
        return amount


class MonthForm(forms.Form):
    """Which month is meant."""

    month = forms.DateField(
        input_formats=["%Y-%m"],
        validators=[MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2200, 1, 1))],
    )

    def chosen(self) -> Month | None:
        """Return the month; None where none was named."""
        first: date | None = self.cleaned_data.get("month") if self.is_valid() else None
        return Month(first) if first else None
