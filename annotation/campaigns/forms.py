"""What a lead fills in to make a campaign or change its people."""

from django import forms

from annotation.campaigns.selectors import possible_members
from annotation.models import CampaignState
from prometheus_site.accounts.models import User


class CampaignForm(forms.Form):
    name = forms.CharField(max_length=200, help_text="As the clinicians will see it.")
    slug = forms.SlugField(
        label="Address name",
        max_length=50,
        help_text="Small letters, digits and hyphens; part of the address.",
    )
    labels_per_sample = forms.IntegerField(
        label="Labels per sample",
        min_value=1,
        max_value=10,
        initial=2,
        help_text="How many clinicians label each sample, blind. Agreement needs at least two.",
    )


class StateForm(forms.Form):
    state = forms.ChoiceField(choices=CampaignState.choices)


class MembersForm(forms.Form):
    members = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="People in this campaign",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["members"].queryset = possible_members()  # type: ignore[attr-defined]
