"""The form that starts a selection: how many samples, and with which seed."""

from django import forms

USUAL_COUNT, MOST_COUNT = 5_000, 1_000_000
MOST_SEED = 2**63 - 1  # what the column holds


class SelectForm(forms.Form):
    """The dataset is the installation's: nothing here can name a path."""

    count = forms.IntegerField(
        label="Samples",
        initial=USUAL_COUNT,
        min_value=1,
        max_value=MOST_COUNT,
        help_text="Where the dataset has fewer clusters of alike conversations, all of them.",
    )
    seed = forms.IntegerField(
        label="Seed",
        initial=1,
        min_value=0,
        max_value=MOST_SEED,
        help_text="The same dataset and seed give the same picks.",
    )
